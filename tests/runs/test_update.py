"""One update: accumulation, what is not finite, and clipping."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sid.runs.update import Loss, Update, update
from sid.runs.world import World


def line(weight: float = 1.0) -> tuple[nn.Linear, torch.optim.Adam]:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, weight)
    return network, torch.optim.Adam(network.parameters(), betas=(0.0, 0.999))


def run(
    network: nn.Linear,
    adam: torch.optim.Adam,
    x: Tensor,
    micro: int,
    loss: Callable[[Tensor], Tensor],
    clip: float | None = None,
) -> Update:
    parts = x.split(micro)
    losses = (
        (len(part), lambda part=part: Loss(loss(network(part))[:, 0], {"mean": part.mean()}))
        for part in parts
    )
    return update(adam, losses, len(x), World(), name="net", lr=0.1, clip=clip)


def test_the_gradient_is_that_of_the_mean_however_it_is_split() -> None:
    x = torch.arange(1.0, 9.0)[:, None]
    for micro in (1, 2, 8):
        network, adam = line()
        numbers = run(network, adam, x, micro, torch.square).numbers
        # d/dw mean (w x)^2 = 2 w mean x^2.
        assert network.weight.grad is not None
        assert network.weight.grad.item() == pytest.approx(2 * 25.5)
        assert numbers["net_loss"] == pytest.approx(25.5)
        assert numbers["mean"] == pytest.approx(4.5)
        assert numbers["net_gradient"] == pytest.approx(51)


def test_dropped_images_are_counted_and_weigh_nothing() -> None:
    network, adam = line()
    x = torch.tensor([[1.0], [2.0], [torch.nan], [4.0]])

    def loss(y: Tensor) -> Tensor:
        return y[torch.isfinite(y)][:, None].square()

    assert run(network, adam, x, 2, loss).dropped == 1
    assert network.weight.grad is not None


def test_what_is_not_finite_in_a_gradient_is_mended_and_told() -> None:
    network, adam = line()
    done = run(network, adam, torch.ones(2, 1), 2, lambda y: torch.sqrt(y - 1))
    assert done.sanitised
    assert done.numbers["net_gradient"] == pytest.approx(1e5)
    assert torch.isfinite(network.weight).all()
    network, adam = line()
    assert not run(network, adam, torch.ones(2, 1), 2, torch.square).sanitised


def test_clipping_bounds_each_entry() -> None:
    network, adam = line()
    run(network, adam, torch.full((2, 1), 100.0), 2, torch.square, clip=1.0)
    assert network.weight.grad is not None
    assert network.weight.grad.item() == 1.0
