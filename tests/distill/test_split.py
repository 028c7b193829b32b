"""One batch, however it is split over micro-batches."""

from pathlib import Path

import pytest
import torch

from sid.distill.recipe import Recipe
from sid.networks import load_network
from tests.conftest import CPU, distilled, tiny_recipe
from tests.distill.test_methods import last

STEPS, BATCH = 10, 8
METHODS = {
    "sid": {"name": "sid", "alpha": 1.2},
    "sida": {"name": "sida", "generator_from_kimg": 0.01, "adversarial_from_kimg": 0.02},
}


def recipe(method: str, **changes: object) -> Recipe:
    kimg = STEPS * BATCH / 1000
    # With a small eps Adam steps as far for a gradient that is rounding alone as for any other:
    # at the published rate of 1e-5 that stays small; a higher one needs a larger eps to compare.
    common = {"batch": BATCH, "kimg": kimg, "eps": 1e-2, "lr_generator": 0.01, "lr_fake": 0.01}
    return tiny_recipe(method=METHODS[method], **{**common, **changes})


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs().max() / a.abs().max()).item()


def trained(chosen: Recipe, data: Path, teacher: Path, out: Path) -> torch.Tensor:
    return last(distilled(chosen, data, teacher, out))


@pytest.mark.parametrize(("lr", "eps"), [(1e-5, 1e-8), (1e-2, 1e-2)])
def test_accumulation_changes_rounding_alone(
    lr: float, eps: float, digits_zip: Path, teacher_run: Path, tmp_path: Path
) -> None:
    rates = {"lr_generator": lr, "lr_fake": lr, "eps": eps}
    whole = trained(recipe("sid", **rates), digits_zip, teacher_run, tmp_path / "whole")
    split = recipe("sid", micro_batch=2, **rates)
    parts = trained(split, digits_zip, teacher_run, tmp_path / "parts")
    start, _ = load_network(tmp_path / "whole" / "snapshots" / "000000000000.safetensors", CPU)
    begun = torch.cat([parameter.flatten() for parameter in start.parameters()])
    moved, off = apart(begun, whole), apart(whole, parts)
    assert off < min(1e-5, moved / 20)


def test_sida_depends_on_micro_batches(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    """Its cross-entropy is a mean over it that multiplies each image's weight."""
    whole = trained(recipe("sida"), digits_zip, teacher_run, tmp_path / "whole")
    split = recipe("sida", micro_batch=2)
    assert apart(whole, trained(split, digits_zip, teacher_run, tmp_path / "parts")) > 1e-5
