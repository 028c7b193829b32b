"""What holds for every method, the rivals' files and those of later too."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sid.config import recipe_files
from sid.data.zips import read_zip
from sid.distill.distillation import Distillation
from sid.distill.method import method_class, methods
from sid.distill.recipe import Recipe, load_recipe
from sid.distill.tiny import Inputs, tiny_inputs
from sid.distill.tiny import tiny_recipe as shrunk
from sid.distill.train import distill
from sid.networks import load_network
from sid.runs import loop
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.world import World
from tests.conftest import CPU, OPTIONS, distilled, tiny_recipe
from tests.processes import Run

Tree = Callable[[Path], dict[str, bytes]]

METHODS = {name: {"name": name, **OPTIONS.get(name, {})} for name in methods()}
# Whose losses depend on the other images of a micro-batch.
BATCHWISE = {"sida", "f-distill"}


class KilledError(Exception):
    """Stands for the end of a process between two steps."""


def recipe(method: str, **changes: Any) -> Recipe:
    return tiny_recipe(name=method, method=METHODS[method], **changes)


@pytest.mark.parametrize("method", METHODS)
def test_resumed_equals_undisturbed(
    method: str,
    digits_zip: Path,
    teacher_run: Path,
    tmp_path: Path,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    section = {**METHODS[method], **dict.fromkeys(method_class(method).durations, 0.1)}
    chosen = tiny_recipe(method=section, kimg=0.4, batch=16, lr_decay=0.5)
    whole = distilled(chosen, digits_zip, teacher_run, tmp_path / "whole")

    monkeypatch.setattr(loop, "STATE_EVERY_S", 0.0)
    for stop in (48, 96, 352):  # Between snapshots, in a warm-up, near the end.
        step = Distillation.step

        def killed(self: Distillation, images: int, stop: int = stop, step: Any = step) -> Any:
            if images == stop:
                raise KilledError
            return step(self, images)

        monkeypatch.setattr(Distillation, "step", killed)
        with pytest.raises(KilledError):
            distilled(chosen, digits_zip, teacher_run, tmp_path / "cut")
        monkeypatch.setattr(Distillation, "step", step)
    cut = distilled(chosen, digits_zip, teacher_run, tmp_path / "cut")
    assert tree(cut) == tree(whole)
    last = json.loads((whole / "log.jsonl").read_text().splitlines()[-1])
    assert all(math.isfinite(value) for value in last.values())


@pytest.mark.parametrize("method", METHODS)
def test_accumulation_changes_rounding_alone(
    method: str, digits_zip: Path, teacher_run: Path
) -> None:
    """The first gradient of each player, of which Adam has not yet made a sign."""
    norms = []
    for micro in (None, 4):
        chosen = recipe(method, batch=16, micro_batch=micro)
        teacher, _ = load_network(snapshot_at(teacher_run), CPU)
        run = Distillation(chosen, teacher, None, read_zip(digits_zip), 0, CPU, World())
        start = 16 * 100  # Every warm-up is over.
        for network in run.networks.values():
            with torch.no_grad(), torch.random.fork_rng():
                torch.manual_seed(1)
                for parameter in network.parameters():
                    parameter += 0.05 * torch.randn_like(parameter)
        found = [run._turn(player, start) for player in run.players]
        norms.append([v for turn in found for k, v in turn.numbers.items() if "gradient" in k])
    assert min(norms[0]) > 0
    assert norms[1] == pytest.approx(norms[0], rel=0.5 if method in BATCHWISE else 1e-4)


def last(run: Path) -> torch.Tensor:
    """All parameters of the last snapshot in one vector."""
    network, _ = load_network(RunFolder(run).last_snapshot(), CPU)
    return torch.cat([parameter.flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("method", METHODS)
def test_one_process_equals_two(
    method: str, digits_zip: Path, teacher_run: Path, tmp_path: Path
) -> None:
    """With dropout too, whose masks belong to the micro-batch."""
    rates = {"eps": 1e-2, "lr_generator": 0.01, "lr_fake": 0.01, "kimg": 0.08}
    section = {**METHODS[method], **dict.fromkeys(method_class(method).durations, 0.01)}
    chosen = tiny_recipe(method=section, batch=8, micro_batch=2, dropout=0.2, **rates)
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    alone = distilled(chosen, digits_zip, teacher_run, tmp_path / "alone")
    words = ["distill", "--recipe", file, "--data", digits_zip, "--teacher", teacher_run]
    run = Run(2, [*words, "--device", "cpu", "--quiet"], tmp_path / "two")
    assert run.end() == [0, 0], run.said()
    one, two = last(alone), last(run.out)
    assert ((one - two).abs().max() / one.abs().max()).item() < 1e-5


def from_the_teacher() -> dict[str, Recipe]:
    """A recipe on the digits for each method, of those that begin at the teacher."""
    files = [path for paths in recipe_files().values() for path in paths]
    digits = [p for p in files if p.parent.name == "digits" and p.stem != "digits"]
    return {one.method.name: one for one in map(load_recipe, digits) if one.start is None}


DIGITS = from_the_teacher()


def test_every_method_has_a_recipe_on_the_digits() -> None:
    assert set(DIGITS) == set(METHODS)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return tiny_inputs(shrunk(DIGITS["sid"]), 0, tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("method", METHODS)
def test_tiny_trains_the_generator(method: str, tiny: Inputs, tmp_path: Path) -> None:
    """`sid distill --tiny` of its recipe on the digits, every switch as it is."""
    distill(shrunk(DIGITS[method]), *tiny, tmp_path, seed=0, device=CPU, restart=False, quiet=True)
    assert RunFolder(tmp_path).done.exists()
    first, _ = load_network(tmp_path / "snapshots" / f"{0:012d}.safetensors", CPU)
    moved = (last(tmp_path) - torch.cat([p.flatten() for p in first.parameters()])).abs()
    assert 0 < moved.max().item() < math.inf
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert all(math.isfinite(value) for line in log for value in line.values())
