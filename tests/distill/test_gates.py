"""Gates: what they stop, and what they let pass."""

from pathlib import Path

import pytest
import torch

from sid.distill.gates import WINDOW, Gates, Watch, distance, roughness, spread
from sid.distill.train import distill
from sid.errors import UserError
from sid.runs.folder import RunFolder
from tests.conftest import CPU, tiny_recipe

GENERATOR = torch.Generator().manual_seed(0)
NOISE = torch.rand(64, 1, 8, 8, generator=GENERATOR) * 2 - 1
SMOOTH = torch.nn.functional.avg_pool2d(
    torch.randn(64, 1, 16, 16, generator=GENERATOR), 9, stride=1, padding=4
)[:, :, 4:12, 4:12]


def test_measures_have_known_values() -> None:
    checkers = torch.ones(2, 1, 4, 4)
    checkers[:, :, ::2, ::2] = checkers[:, :, 1::2, 1::2] = -1
    assert spread(checkers) == 0
    assert roughness(torch.ones(2, 1, 4, 4)) == 0
    assert roughness(checkers) > 0.8
    assert distance(NOISE, NOISE) == 0
    # Means 16 pooled pixels apart by 1 each, equal deviations.
    assert distance(NOISE + 1, NOISE) == pytest.approx(16, rel=1e-5)


def test_one_image_and_noise_are_stopped() -> None:
    watch = Watch(Gates(), SMOOTH, batch=8)
    assert watch.look(1000, SMOOTH.roll(1, 0), SMOOTH) == ""
    assert "collapse to one image" in watch.look(1000, SMOOTH[:1].repeat(64, 1, 1, 1), SMOOTH)
    assert "collapse to noise" in watch.look(1000, NOISE, SMOOTH)
    quiet = Gates(min_spread=None, max_roughness=None, band=None, max_memory=None)
    assert Watch(quiet, SMOOTH, 8).look(1000, NOISE, SMOOTH) == ""


def test_the_band_holds_from_its_start_on() -> None:
    gates = Gates(band_kimg=2, band=1.5)
    watch = Watch(gates, SMOOTH, batch=8)
    first, far = SMOOTH + 0.1, SMOOTH + 0.2
    assert watch.look(1000, far, first) == ""
    assert "out of the expected band" in watch.look(3000, far, first)
    assert watch.look(3000, SMOOTH + 0.11, first) == ""


def test_counts_are_over_a_window() -> None:
    watch = Watch(Gates(max_dropped=0.05, max_sanitised=0.5), SMOOTH, batch=8)
    allowed = int(0.05 * WINDOW * 8 * 2)
    for update in range(1, WINDOW + 1):
        watch.count(update * 8, allowed if update == 3 else 0, sanitised=0)
        assert watch.counted(update * 8) == ""
    # A new window begins; the old count is gone.
    watch.count((WINDOW + 1) * 8, allowed, sanitised=0)
    assert watch.counted((WINDOW + 1) * 8) == ""
    watch.count((WINDOW + 2) * 8, 1, sanitised=0)
    assert "images not finite" in watch.counted((WINDOW + 2) * 8)


def test_memory() -> None:
    assert "of memory" in Watch(Gates(max_memory=1e-6), SMOOTH, 8).memory()
    assert Watch(Gates(max_memory=1.0), SMOOTH, 8).memory() == ""


def test_a_run_that_goes_wrong_stops_with_a_checkpoint(
    tmp_path: Path, digits_zip: Path, teacher_run: Path
) -> None:
    wild = tiny_recipe(lr_generator=0.5, lr_fake=0.5, gates=Gates(band_kimg=0.1), kimg=4.0)
    out = tmp_path / "run"
    with pytest.raises(UserError, match=r"stopped after \d+ images: .*checkpoint is kept"):
        distill(
            wild, digits_zip, teacher_run, None, out, seed=0, device=CPU, restart=False, quiet=True
        )
    folder = RunFolder(out)
    assert list(folder.state.glob("*.safetensors"))
    assert not folder.done.exists()
    # The same command is no way past a gate, however often it is given.
    with pytest.raises(UserError, match=r"stopped after \d+ images"):
        distill(
            wild, digits_zip, teacher_run, None, out, seed=0, device=CPU, restart=False, quiet=True
        )
    # With other gates it is the same run, and goes on from there.
    before = folder.log.read_text()
    blind = Gates(min_spread=None, max_roughness=None, band=None, max_dropped=None)
    other = wild.model_copy(update={"gates": blind})
    distill(
        other, digits_zip, teacher_run, None, out, seed=0, device=CPU, restart=False, quiet=True
    )
    assert folder.log.read_text().startswith(before)
    assert folder.done.exists()
