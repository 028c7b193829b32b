"""Runs: snapshots, starts, damaged checkpoints, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sid.errors import UserError
from sid.files import read_json
from sid.networks import load_network, read_metadata, save_network
from sid.runs import loop
from sid.runs.folder import RunFolder, snapshot_at
from tests.conftest import CPU, tiny_recipe
from tests.conftest import distilled as run

Tree = Callable[[Path], dict[str, bytes]]

METHODS: dict[str, dict[str, Any]] = {
    "sid": {"name": "sid", "alpha": 1.2},
    "sida": {"name": "sida", "generator_from_kimg": 0.2, "adversarial_from_kimg": 0.4},
}


def test_snapshots_say_what_they_are(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    out = run(tiny_recipe(), digits_zip, teacher_run, tmp_path / "run")
    done = read_json(out / "done.json")
    assert sorted(done["snapshots"]) == sorted(p.name for p in (out / "snapshots").iterdir())
    last = read_metadata(RunFolder(out).last_snapshot())
    assert last["images"] == 1024
    assert last["iterations"] == 32
    assert (last["kind"], last["recipe"], last["sigma_init"]) == ("generator", "sid", 2.5)
    first, _ = load_network(out / "snapshots" / "000000000000.safetensors", CPU)
    teacher, _ = load_network(RunFolder(teacher_run).last_snapshot(), CPU)
    for mine, theirs in zip(first.parameters(), teacher.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [256, 512, 768, 1024]
    assert {"fake_loss", "generator_loss", "score_gap"} <= set(lines[-1])


def test_seeds_differ(digits_zip: Path, teacher_run: Path, tmp_path: Path, tree: Tree) -> None:
    recipe = tiny_recipe(kimg=0.3)
    first = tree(run(recipe, digits_zip, teacher_run, tmp_path / "0"))
    second = tree(run(recipe, digits_zip, teacher_run, tmp_path / "1", seed=1))
    assert first["log.jsonl"] != second["log.jsonl"]


def test_sid2a_starts_from_sid(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    sid = run(tiny_recipe(), digits_zip, teacher_run, tmp_path / "sid")
    recipe = tiny_recipe(name="sid2a", start="sid", method=METHODS["sida"], kimg=0.5)
    with pytest.raises(UserError, match=r"recipe sid2a starts from recipe sid; give .*--start"):
        run(recipe, digits_zip, teacher_run, tmp_path / "sid2a")
    out = run(recipe, digits_zip, teacher_run, tmp_path / "sid2a", start=sid)
    begun, _ = load_network(out / "snapshots" / "000000000000.safetensors", CPU)
    end, _ = load_network(RunFolder(sid).last_snapshot(), CPU)
    for mine, theirs in zip(begun.parameters(), end.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_frozen_generator_stays(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    method = {"name": "sida", "generator_from_kimg": 0.19, "adversarial_from_kimg": 0.19}
    out = run(tiny_recipe(method=method, kimg=0.192), digits_zip, teacher_run, tmp_path / "run")
    paths = sorted((out / "snapshots").iterdir())
    first, last = (load_network(path, CPU)[0] for path in (paths[0], paths[-1]))
    for before, after in zip(first.parameters(), last.parameters(), strict=True):
        assert torch.equal(before, after)


def test_divergence_stops(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(lr_fake=1e30)
    with pytest.raises(UserError, match="max_dropped"):
        run(recipe, digits_zip, teacher_run, tmp_path / "run")


def test_damaged_checkpoint_falls_back(
    digits_zip: Path,
    teacher_run: Path,
    tmp_path: Path,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = run(tiny_recipe(), digits_zip, teacher_run, tmp_path / "whole")
    monkeypatch.setattr(loop, "STATE_EVERY_S", 0.0)
    cut = run(tiny_recipe(), digits_zip, teacher_run, tmp_path / "cut")
    states = sorted((cut / "state").iterdir())
    assert len(states) == 2
    states[-1].write_bytes(states[-1].read_bytes()[:1000])
    (cut / "done.json").unlink()
    run(tiny_recipe(), digits_zip, teacher_run, cut)
    assert "damaged" in capsys.readouterr().err
    assert tree(cut) == tree(whole)

    for path in sorted((cut / "state").iterdir()):
        path.write_bytes(b"cut")
    (cut / "done.json").unlink()
    with pytest.raises(UserError, match="no checkpoint is whole; delete"):
        run(tiny_recipe(), digits_zip, teacher_run, cut)


def test_lost_snapshot_is_named(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    out = run(tiny_recipe(kimg=0.2), digits_zip, teacher_run, tmp_path / "run")
    (out / "done.json").unlink()
    (out / "snapshots" / "000000000000.safetensors").unlink()
    with pytest.raises(UserError, match=r"000000000000.safetensors: missing; delete"):
        run(tiny_recipe(kimg=0.2), digits_zip, teacher_run, out)


def test_budget_scales_every_duration() -> None:
    recipe = tiny_recipe(method=METHODS["sida"], ema_kimg=0.5).scaled(0.5)
    halves = {"generator_from_kimg": 0.1, "adversarial_from_kimg": 0.2}
    assert (recipe.kimg, recipe.ema_kimg) == (0.5, 0.25)
    assert recipe.model_dump()["method"] == {**METHODS["sida"], **halves}


def test_inputs_that_do_not_fit(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    about = {"kind": "generator", "sigma_init": 2.5}
    sid2a = tiny_recipe(name="sid2a", start="sid")
    for changes, told, message in (
        ({"img_resolution": 16}, about, r"--start has images \(1, 16, 16\)"),
        ({"label_dim": 3}, about, "--start has classes 3, and 0 is needed"),
        ({}, {**about, "sigma_init": 80.0}, "--start has sigma_init 80.0, and 2.5 is needed"),
    ):
        network, _ = load_network(snapshot_at(teacher_run), CPU)
        other = network.architecture.model_copy(update=changes).build()
        save_network(tmp_path / "start.safetensors", other, told)
        with pytest.raises(UserError, match=message):
            run(
                sid2a, digits_zip, teacher_run, tmp_path / "r", start=tmp_path / "start.safetensors"
            )
    with pytest.raises(UserError, match="takes 0 augmentation labels and not 9"):
        run(tiny_recipe(augment=0.1), digits_zip, teacher_run, tmp_path / "r")
    with pytest.raises(UserError, match=r"recipe sid is for another data set; give mnist.zip"):
        run(tiny_recipe(data="mnist"), digits_zip, teacher_run, tmp_path / "r")
    assert not (tmp_path / "r").exists()
