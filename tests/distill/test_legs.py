"""A run trained in legs, extended or ended early: equal to one trained at once, bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sid.distill.recipe import Recipe
from sid.distill.train import Distillation
from sid.errors import UserError
from sid.files import read_json, sha256, write_json
from sid.networks.weights import load_tensors
from sid.runs import loop
from sid.runs.folder import RunFolder
from sid.runs.removed import Removed, write_removed
from tests.conftest import distilled, tiny_recipe

Tree = Callable[[Path], dict[str, bytes]]
SIDA = {"name": "sida", "generator_from_kimg": 0.2, "adversarial_from_kimg": 0.4}
REACHED = {"claim": "sid/fid", "images": 224, "value": 2.0, "limits": [1.9, 2.1], "draws": 10}


def state(run: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's newest checkpoint."""
    return load_tensors(sorted((run / "state").iterdir())[-1])[0]


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether two checkpoints hold the same bits."""
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def legs(run: Path) -> dict[int, Any]:
    """What the files of the legs hold, by the images at which these end."""
    return {int(path.stem): read_json(path) for path in sorted((run / "legs").iterdir())}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The images at which updates began, in the order of these."""
    done: list[int] = []
    step = Distillation.step

    def noted(self: Distillation, images: int) -> dict[str, float]:
        done.append(images)
        return step(self, images)

    monkeypatch.setattr(Distillation, "step", noted)
    return done


@pytest.fixture
def make(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> Callable[..., Path]:
    """Distils into a folder of that name."""

    def run(recipe: Recipe, name: str, **options: Any) -> Path:
        return distilled(recipe, digits_zip, teacher_run, tmp_path / name, **options)

    return run


@pytest.mark.parametrize("method", [{"name": "sid"}, SIDA], ids=lambda method: method["name"])
def test_in_legs_equals_at_once(
    method: dict[str, Any], make: Callable[..., Path], tree: Tree, steps: list[int]
) -> None:
    recipe = tiny_recipe(method=method, lr_decay=0.5, dropout=0.1)
    whole = make(recipe, "whole")
    at_once = list(steps)
    steps.clear()
    *ends, last = recipe.leg_ends(0.4)
    assert len(ends) >= 2
    for end in ends:
        cut = make(recipe, "cut", leg=end)
        assert sorted((cut / "state").iterdir())[-1].stem == f"{end:012d}"
        assert not (cut / "done.json").exists()
    make(recipe, "cut")
    assert steps == at_once
    assert tree(cut) == tree(whole)
    assert equal(state(cut), state(whole))
    done = read_json(cut / "done.json")
    assert (done["images"], done["ended"], done["removed"]) == (last, None, [])
    assert done["snapshots"] == read_json(whole / "done.json")["snapshots"]
    names = [name for leg in legs(cut).values() for name in leg["snapshots"]]
    assert sorted(names) == [f"{images:012d}.safetensors" for images in recipe.times()[:-1]]


def test_killed_in_a_leg_it_goes_on_from_its_checkpoint(
    make: Callable[..., Path], tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(tiny_recipe(), "whole")
    first, second = tiny_recipe().leg_ends(0.4)[:2]
    monkeypatch.setattr(loop, "STATE_EVERY_S", 0.0)
    step = Distillation.step
    make(tiny_recipe(), "cut", leg=first)
    for stop in (first, second - 32):  # Just after the leg before, and in the last update.

        def killed(self: Distillation, images: int, stop: int = stop) -> dict[str, float]:
            if images == stop:
                raise KeyboardInterrupt
            return step(self, images)

        monkeypatch.setattr(Distillation, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            make(tiny_recipe(), "cut", leg=second)
    monkeypatch.setattr(Distillation, "step", step)
    make(tiny_recipe(), "cut", leg=second)
    cut = make(tiny_recipe(), "cut")
    assert tree(cut) == tree(whole)
    assert equal(state(cut), state(whole))


def test_a_run_that_is_beyond_its_legs_writes_their_files(
    make: Callable[..., Path], steps: list[int]
) -> None:
    ends = tiny_recipe().leg_ends(0.4)[:-1]
    for end in ends:
        chain = make(tiny_recipe(), "chain", leg=end)
    whole = make(tiny_recipe(), "whole")
    steps.clear()
    for end in ends:
        make(tiny_recipe(), "whole", leg=end)
    assert not steps
    for end, leg in legs(whole).items():
        assert {**leg, "seconds": 0} == {**legs(chain)[end], "seconds": 0}


def test_extended_it_equals_a_long_run(
    make: Callable[..., Path], tree: Tree, steps: list[int]
) -> None:
    short, long = (tiny_recipe(kimg=kimg, per_decade=10) for kimg in (1.05, 1.7))
    whole, out = make(long, "whole"), make(short, "run")
    steps.clear()
    with pytest.raises(UserError, match=r"another run \(recipe\.kimg, seed differ\)"):
        make(long, "run", seed=1)
    first = next(end for end in long.leg_ends(0.4) if end > 1056)
    make(long, "run", leg=first)
    assert not (out / "done.json").exists()
    make(long, "run")
    assert steps == list(range(1056, long.times()[-1], 32))
    assert equal(state(out), state(whole))
    ours, theirs = tree(out), tree(whole)
    # The end of the shorter run; and what it left out as too near to that end.
    assert {name[:12] for name in ours.keys() ^ theirs.keys()} == {f"{1056:012d}", f"{1024:012d}"}
    assert all(ours[name] == theirs[name] for name in ours.keys() & theirs.keys())
    manifest, done = read_json(out / "manifest.json"), read_json(out / "done.json")
    (before,) = manifest["budgets"]
    assert (before["kimg"], before["images"]) == (1.05, 1056)
    assert manifest["recipe"]["kimg"] == 1.7
    assert done["images"] == long.times()[-1]
    assert set(done["snapshots"]) == ours.keys() - {"log.jsonl"}
    with pytest.raises(
        UserError, match=r"was trained for 1\.728 kimg, and kimg 1\.05 is asked for"
    ):
        make(short, "run", restart=True)
    assert read_json(out / "manifest.json") == manifest


def test_another_budget_is_another_run_where_the_rates_follow_it(make: Callable[..., Path]) -> None:
    make(tiny_recipe(kimg=0.1, lr_decay=0.5), "run")
    with pytest.raises(UserError, match=r"another run \(recipe.kimg differ\)"):
        make(tiny_recipe(kimg=0.2, lr_decay=0.5), "run")


def test_without_a_checkpoint_it_is_not_extended(make: Callable[..., Path]) -> None:
    out = make(tiny_recipe(kimg=0.1), "run")
    for path in (out / "state").iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"holds no checkpoint .* set kimg to 0\.1 again"):
        make(tiny_recipe(kimg=0.2), "run")
    assert (out / "done.json").exists()


def test_reached_it_is_ended_by_the_next_leg(
    make: Callable[..., Path], tree: Tree, steps: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make(tiny_recipe(), "whole")
    first, second, third, _ = tiny_recipe().leg_ends(0.4)
    for end in (first, second):
        out = make(tiny_recipe(), "run", leg=end)
    write_json(out / "reached.json", REACHED)
    steps.clear()
    make(tiny_recipe(), "run", leg=third)
    make(tiny_recipe(), "run")
    assert not steps
    assert "run: reached sid/fid at 224 images, so it is not trained on" in capsys.readouterr().err
    assert legs(out)[third]["snapshots"] == {}
    done = read_json(out / "done.json")
    assert (done["images"], done["ended"]) == (second, "reached sid/fid at 224 images")
    assert set(done["snapshots"]) == {path.name for path in (out / "snapshots").iterdir()}

    (out / "reached.json").unlink()  # As the message says.
    make(tiny_recipe(), "run")
    assert tree(out) == tree(whole)
    assert read_json(out / "done.json")["ended"] is None


def test_removed_snapshots_keep_their_checksums(make: Callable[..., Path]) -> None:
    first, *_ = tiny_recipe().leg_ends(0.4)
    out = make(tiny_recipe(), "run", leg=first)
    gone = RunFolder(out).snapshot_path(0)
    known = sha256(gone)
    gone.unlink()
    with pytest.raises(UserError, match=f"{gone.name}: missing; delete .* to train the run again"):
        make(tiny_recipe(), "run")
    write_removed(out, {gone.name: Removed(0, known)})
    make(tiny_recipe(), "run")
    (out / "legs" / f"{first:012d}.json").unlink()
    make(tiny_recipe(), "run", leg=first)
    for written in (read_json(out / "done.json"), legs(out)[first]):
        assert written["snapshots"][gone.name] == known
    assert read_json(out / "done.json")["removed"] == [gone.name]


def test_a_leg_ends_at_a_snapshot(make: Callable[..., Path]) -> None:
    for leg, nearest in ((100, 128), (2000, 1024)):
        with pytest.raises(UserError, match=f"--leg {leg}: no snapshot .* nearest is {nearest}"):
            make(tiny_recipe(), "run", leg=leg)
