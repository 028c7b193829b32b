"""The rivals' losses and gradients against stored answers of the authors' code."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.distill.cases import summary
from tests.distill.rivals import DIRECTIONS, LOSSES, NAMES, ours

FIXTURES = Path(__file__).parent / "fixtures"
BOUND = 1e-5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_losses_and_gradients_are_the_authors(name: str, loss: str) -> None:
    stored = load_file(FIXTURES / f"rivals-{name}.safetensors")
    found = summary(*ours(name, loss))
    theirs = {key: stored[f"{loss}/{key}"].double() for key in found}
    error = {key: (found[key] - theirs[key]).abs() for key in found}
    if loss not in DIRECTIONS:
        assert error["loss"].max() < BOUND * theirs["loss"].abs().max()
    largest = theirs["largest"]
    assert (largest > 0).double().mean() > 0.9
    assert (error["largest"] <= BOUND * largest).all()
    assert (error["entries"] <= BOUND * largest[:, None]).all()
    assert (error["norms"] <= BOUND * theirs["norms"]).all()
    # A product with noise may be several norms, and come out near 0.
    assert (error["along"] <= 10 * BOUND * theirs["norms"]).all()
