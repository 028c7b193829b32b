"""Our networks against answers of the official ones (see fixtures/README.md)."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sid.networks import Architecture, EDMPrecond
from tests.networks.cases import CASES, SONG, answers, fill, inputs

FIXTURES = Path(__file__).parent / "fixtures"


def filled(case: dict[str, Any]) -> EDMPrecond:
    return fill(Architecture.model_validate(case).build().eval())


def error(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, as a share of the largest entry."""
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_the_official_ones(name: str) -> None:
    network, official = filled(CASES[name]), load_file(FIXTURES / f"{name}.safetensors")
    ours = answers(network, CASES[name], *network.both(**inputs(CASES[name])))
    assert ours.keys() == official.keys()
    assert error(ours["denoised"], official["denoised"]) < 1e-5
    assert error(ours["bottleneck"], official["bottleneck"]) < 1e-5
    # Against the gradient's norm: a product with noise may come out near 0.
    along = (ours["along"] - official["along"]).abs()
    assert (along < 1e-4 * official["norms"] + 1e-6).all()
    assert ((ours["norms"] - official["norms"]).abs() < 1e-4 * official["norms"] + 1e-6).all()
    for key in official.keys() - {"denoised", "bottleneck", "norms", "along"}:
        assert error(ours[key], official[key]) < 1e-4


@pytest.mark.parametrize("name", CASES)
def test_every_parameter_matters(name: str) -> None:
    """No gradient of a fixture is about 0, or it would compare nothing."""
    official = load_file(FIXTURES / f"{name}.safetensors")
    names = sorted(key for key, _ in filled(CASES[name]).named_parameters())
    assert len(names) == len(official["norms"])
    assert float(official["norms"].min()) > 1e-3


@pytest.mark.parametrize("name", CASES)
def test_absent_labels_are_zeros(name: str) -> None:
    network, given = filled(CASES[name]), inputs(CASES[name])
    for key in ("labels", "augment"):
        tensor = given[key]
        if tensor is not None:
            zeros = network(**{**given, key: torch.zeros_like(tensor)})
            absent = network(**{**given, key: None})
            torch.testing.assert_close(absent, zeros, rtol=1e-6, atol=1e-6)
            assert error(absent, network(**given)) > 1e-3


@pytest.mark.parametrize("name", CASES)
def test_half_precision_trunk(name: str) -> None:
    """The U-Net in half precision is the float32 one up to rounding; its parameters stay float32.

    Between the official network in half and in float32 lie 1.5e-3 to 3.1e-3 on these cases.
    """
    network, given = filled(CASES[name]), inputs(CASES[name])
    x, noise = given["x"], given["sigma"].log() / 4
    x = x / x.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    conditions = (noise, given["labels"], given["augment"])
    half, full = network.model(x.half(), *conditions), network.model(x, *conditions)
    assert half.dtype == torch.float16
    assert 0 < error(half.float(), full) < 1e-2
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_fp16_is_for_gpus_alone() -> None:
    given = inputs(SONG)
    assert torch.equal(filled({**SONG, "use_fp16": True})(**given), filled(SONG)(**given))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_fp16_on_a_gpu() -> None:
    given = {k: v if v is None else v.cuda() for k, v in inputs(SONG).items()}
    half, full = (filled({**SONG, "use_fp16": on}).cuda().both(**given) for on in (True, False))
    assert half.denoised.dtype == half.bottleneck.dtype == torch.float32
    assert 0 < error(half.denoised, full.denoised) < 1e-2
    assert 0 < error(half.bottleneck, full.bottleneck) < 1e-2


def test_label_dropout_hides_classes_in_training_alone() -> None:
    case = {**SONG, "label_dim": 3, "label_dropout": 1.0}
    network, given = filled(case), inputs(case)
    nothing = network(**{**given, "labels": None})
    assert error(network(**given), nothing) > 1e-3
    torch.testing.assert_close(network.train()(**given), nothing, rtol=1e-6, atol=1e-6)

    seen = filled({**case, "label_dropout": 0.5}).train()
    sigma, classes = torch.ones(400), torch.eye(3)[:1].expand(400, 3)
    torch.manual_seed(0)
    embeddings = seen.model.embed(sigma, classes, None)
    hidden = seen.model.embed(sigma, torch.zeros(400, 3), None)
    share = (embeddings == hidden).all(dim=1).float().mean().item()
    assert share == pytest.approx(0.5, abs=0.1)
