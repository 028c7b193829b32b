"""Passes of evaluations are counted as they are made, and their hours follow from rates."""

from collections.abc import Sequence

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from sid.cost import rates
from sid.cost.count import count
from sid.cost.evaluation import Asked, Passes, hours, run_passes, seen, teacher_passes, waiting
from sid.cost.rates import Row, extractor_rate, extractor_size, network_of
from sid.errors import UserError
from sid.evaluate.implementations import usual
from sid.evaluate.implementations.libraries import torchvision

TEACHER = "edm-cifar10-32x32-uncond-vp"


def asked(curve: Sequence[str], final: Sequence[str]) -> Asked:
    return Asked(1000, 2000, 3, "inception-2015", tuple(curve), tuple(final))


def test_operations_of_the_inception_are_counted() -> None:
    """torchvision's has the convolutions of the 2015 one, and as many outputs as it is told."""
    size = extractor_size("inception-2015")
    with FakeTensorMode(), torch.no_grad():
        network: nn.Module = torchvision.models.inception_v3(
            weights=None, init_weights=False, aux_logits=False, num_classes=1008
        ).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 299, 299))
    assert size.operations == pytest.approx(counter.get_total_flops(), rel=1e-4)
    assert size.width == 2048 + 1008
    with pytest.raises(UserError, match=r"extractors\.csv: has no extractor dinov2"):
        extractor_size("dinov2")


def test_implementations_share_a_pass_or_take_their_own() -> None:
    assert seen(["nvidia"]) == seen(["ours", "nvidia", "nvidia-n"]) == 1
    assert seen(["torch-fidelity"]) == 1
    assert seen(usual("inception-2015")) == 3


def test_passes_of_a_run() -> None:
    final = usual("inception-2015")
    once = sum(waiting([name]) for name in final)
    found = run_passes(asked(["nvidia"], final), 7)
    assert (found.network, found.extractor) == (7000 + 12_000, 7000 + 3 * 12_000)
    assert found.seconds == pytest.approx(7 * waiting(["nvidia"]) + 6 * once)
    whole = run_passes(asked(["nvidia"], final).whole(), 7)
    assert (whole.network, whole.extractor) == (19_000, 3 * 19_000)
    assert whole.seconds == pytest.approx(13 * once)


def test_passes_of_a_teacher() -> None:
    """Curves at 1, 3, 5, 9 and 18 steps, which are 67 evaluations; fresh draws at 35."""
    found = teacher_passes(asked(["nvidia"], ["nvidia"]), "cifar10-32x32")
    assert (found.network, found.extractor) == (67 * 1000 + 35 * 6000, 5 * 1000 + 6000)
    assert found.seconds == pytest.approx(8 * waiting(["nvidia"]))


def test_hours_are_passes_over_rates() -> None:
    """Operations at the rate of the cited row: EDM's teacher on a V100, 3 passes an image."""
    counted = count(network_of(TEACHER))
    found = hours(Passes(10**6, 10**6, 3600), "V100", TEACHER, "fp32", counted, "inception-2015")
    assert found.rates[0].images_per_second == pytest.approx(3 * 144.7)
    share = 3 * counted.forward / extractor_size("inception-2015").operations
    assert found.rates[1].images_per_second == pytest.approx(144.7 * share)
    assert {each.evidence for each in found.rates} == {"estimated"}
    assert found.network == pytest.approx(10**6 / (3 * 144.7) / 3600)
    assert found.total == found.network + found.extractor + 1


def test_a_measured_rate_of_the_extractor_is_its_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row("H100", "fp32", "extractor", "inception-2015", 4000.0, "measured", "a table")
    before = rates.rate("H100", "sid", "edm-other", "fp32", count(network_of(TEACHER)))
    known = (*rates.rates(), row)
    monkeypatch.setattr(rates, "rates", lambda: known)
    assert extractor_rate("H100", "inception-2015") == rates.Rate(4000.0, "measured", "a table")
    scaled = extractor_rate("A100", "inception-2015")
    assert scaled.images_per_second == pytest.approx(4000 * 2039 / 3350)
    assert "rate of extractor inception-2015, H100" in scaled.basis
    after = rates.rate("H100", "sid", "edm-other", "fp32", count(network_of(TEACHER)))
    assert after == before
