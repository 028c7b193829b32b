"""Gates: what they stop, and what they let pass."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from sid.distill.gates import WINDOW, Gates, Watch, distance, grey, pixel_noise, spread, white_noise
from sid.runs.folder import RunFolder
from sid.runs.loop import Problem, StoppedError
from tests.conftest import distilled, tiny_recipe

SID = str(Path(sys.executable).with_name("sid"))
GENERATOR = torch.Generator().manual_seed(0)
NOISE = torch.rand(64, 1, 8, 8, generator=GENERATOR) * 2 - 1
SMOOTH = torch.nn.functional.avg_pool2d(
    3 * torch.randn(256, 1, 16, 16, generator=GENERATOR), 9, stride=1, padding=4
)[:, :, 4:12, 4:12]
REAL, MADE = SMOOTH[64:], SMOOTH[:64]
BLURRED = 0.2 * torch.nn.functional.avg_pool2d(MADE, 3, stride=1, padding=1)


def key(problem: Problem | None) -> str:
    return problem.key if problem else ""


def test_measures_have_known_values() -> None:
    one = MADE[:1].repeat(64, 1, 1, 1)
    assert spread(one) == 0
    assert pixel_noise(one) == pixel_noise(torch.zeros(4, 1, 8, 8)) == 0
    # Of a 3 x 3 all 9, at an edge 6 and in a corner 4 pixels are in the image: 36, 24 and 4 places.
    assert white_noise(NOISE) == pytest.approx(1 - (36 / 9 + 24 / 6 + 4 / 4) / 64)
    assert pixel_noise(NOISE) == pytest.approx(white_noise(NOISE), rel=0.02)
    assert pixel_noise(0.01 * NOISE) == pytest.approx(pixel_noise(NOISE))
    assert distance(NOISE, NOISE) == 0
    # Means 16 pooled pixels apart by 1 each, equal deviations.
    assert distance(NOISE + 1, NOISE) == pytest.approx(16, rel=1e-5)
    mean = REAL.mean(0, keepdim=True).repeat(64, 1, 1, 1)
    assert distance(mean, REAL) == pytest.approx(grey(REAL))


@pytest.mark.parametrize("first", [BLURRED, MADE], ids=["from the teacher", "from a generator"])
def test_healthy_images_pass_and_broken_ones_do_not(first: torch.Tensor) -> None:
    watch = Watch(Gates(), REAL, first, batch=8, updates=2)
    for healthy in (first, MADE, 0.7 * MADE, 1.3 * MADE, BLURRED, MADE + 0.1 * NOISE):
        assert watch.images_problem(healthy) is None
    assert key(watch.images_problem(MADE[:1].repeat(64, 1, 1, 1))) == "min_spread"
    assert key(watch.images_problem(NOISE)) == "max_noise"
    assert key(watch.images_problem(MADE + NOISE)) == "max_noise"
    assert key(watch.images_problem(10 * MADE)) == "max_distance"
    assert key(watch.images_problem(torch.full_like(MADE, torch.nan))) == "min_spread"


def test_null_switches_a_gate_off() -> None:
    blind = Gates(min_spread=None, max_noise=None, max_distance=None)
    watch = Watch(blind, REAL, BLURRED, batch=8, updates=2)
    assert watch.images_problem(10 * NOISE[:1].repeat(64, 1, 1, 1)) is None


def test_a_run_is_not_stopped_for_what_it_began_with() -> None:
    alike, noisy, far = 0.01 * MADE, MADE + 2 * NOISE, MADE + 3
    for first in (alike, noisy, far):
        assert Watch(Gates(), REAL, MADE, batch=8, updates=2).images_problem(first) is not None
        assert Watch(Gates(), REAL, first, batch=8, updates=2).images_problem(first) is None
    # Of a teacher that has learnt nothing, which makes noise, one noise is as good as another.
    other = torch.rand(64, 1, 8, 8, generator=GENERATOR) * 2 - 1
    assert Watch(Gates(), REAL, 0.5 * NOISE, batch=8, updates=2).images_problem(other) is None


def test_a_good_start_makes_no_bound_tighter() -> None:
    """Of a run that begins at the data the distance can only grow: that is no fault."""
    watch = Watch(Gates(), REAL, MADE, batch=8, updates=2)
    assert distance(0.7 * MADE, REAL) > 1.5 * distance(MADE, REAL)
    assert watch.images_problem(0.7 * MADE) is None


def test_counts_are_over_a_window() -> None:
    watch = Watch(Gates(max_dropped=0.05, max_sanitised=0.5), REAL, MADE, batch=8, updates=2)
    allowed = int(0.05 * WINDOW * 8 * 2)
    for update in range(1, WINDOW + 1):
        watch.count(update * 8, allowed if update == 3 else 0, sanitised=0)
        assert watch.counts_problem() is None
    # A new window begins; the old count is gone.
    watch.count((WINDOW + 1) * 8, allowed, sanitised=0)
    assert watch.counts_problem() is None
    watch.count((WINDOW + 2) * 8, 1, sanitised=0)
    assert key(watch.counts_problem()) == "max_dropped"


def test_memory() -> None:
    assert key(Watch(Gates(max_memory=1e-6), REAL, MADE, 8, 2).memory_problem()) == "max_memory"
    assert Watch(Gates(max_memory=1.0), REAL, MADE, 8, 2).memory_problem() is None


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, shell=True, capture_output=True, text=True, check=False)


SHUT = Gates(min_spread=1e6)  # What no images pass, on any machine.


def test_a_run_that_goes_wrong_stops_with_a_checkpoint(
    tmp_path: Path, digits_zip: Path, teacher_run: Path
) -> None:
    folder = RunFolder(tmp_path / "run")

    def run(gates: Gates) -> None:
        distilled(tiny_recipe(gates=gates, kimg=0.5), digits_zip, teacher_run, folder.path)

    with pytest.raises(StoppedError, match="checkpoint") as stop:
        run(SHUT)
    assert stop.value.problem.key == "min_spread"
    assert stop.value.images == 128  # The first snapshot.
    assert list(folder.state.glob("*.safetensors"))
    assert not folder.done.exists()
    # The same command is no way past a gate, however often it is given.
    with pytest.raises(StoppedError):
        run(SHUT)
    # With other gates it is the same run, and goes on from there.
    before = folder.log.read_text()
    run(Gates(min_spread=None, max_noise=None, max_distance=None))
    assert folder.log.read_text().startswith(before)
    assert folder.done.exists()


def test_images_are_looked_at_between_snapshots_too(
    tmp_path: Path, digits_zip: Path, teacher_run: Path
) -> None:
    """Snapshots of a long run are far apart; a gate looks every 100 updates."""
    recipe = tiny_recipe(batch=8, first_kimg=1.9, kimg=2, gates=SHUT)
    with pytest.raises(StoppedError) as stop:
        distilled(recipe, digits_zip, teacher_run, tmp_path)
    assert stop.value.images == WINDOW * 8


def test_the_message_is_enough(tmp_path: Path, digits_zip: Path, teacher_run: Path) -> None:
    """It names the key, the file and the command; doing as it says ends the run."""
    recipe = tmp_path / "wild.yaml"
    values = tiny_recipe(kimg=0.3, gates=SHUT).model_dump(mode="json")
    recipe.write_text(yaml.safe_dump(values))
    words = ["--data", str(digits_zip), "--teacher", str(teacher_run), "--out", str(tmp_path / "o")]
    stopped = shell(shlex.join([SID, "distill", "--recipe", str(recipe), *words, "--quiet"]))
    assert stopped.returncode == 2
    said = re.fullmatch(
        r"error: .* write `(\w+): null` under `gates:` in (\S+) and run: (.*)\n", stopped.stderr
    )
    assert said, stopped.stderr
    key, path, command = said.groups()
    assert (key, Path(path)) == ("min_spread", recipe)
    values["gates"] = {key: None}
    recipe.write_text(yaml.safe_dump(values))
    assert shell(command).returncode == 0
    assert RunFolder(tmp_path / "o").done.exists()
