"""What is counted on empty tensors is what a real step does and keeps."""

import math
from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.step_throughput import METHODS, data
from sid.cost.cost import others, step_operations
from sid.cost.count import count
from sid.cost.rates import operations
from sid.distill.distillation import Distillation
from sid.distill.method import methods
from sid.distill.recipe import Recipe
from sid.networks import Architecture
from sid.runs.world import World
from tests.conftest import OPTIONS, tiny_recipe

BATCH = 4
SMALL = {"img_resolution": 16, "img_channels": 3, "model_channels": 32, "channel_mult": (1, 2)}
NETWORK = Architecture(**SMALL, num_blocks=2, augment_dim=9, attn_resolutions=(8,), dropout=0.1)


def recipe(method: str) -> Recipe:
    options = METHODS.get(method, {"name": method, **OPTIONS.get(method, {})})
    return tiny_recipe(method=options, batch=BATCH, dropout=0.1, augment=0.1, data="noise")


def distillation(method: str) -> Distillation:
    torch.manual_seed(0)
    made = recipe(method)
    return Distillation(made, NETWORK.build(), None, data("small"), 0, torch.device("cpu"), World())


@pytest.mark.parametrize("method", methods())
def test_operations_and_numbers_held_are_those_of_real_steps(method: str) -> None:
    training = distillation(method)
    steps = math.lcm(*(player.every for player in training.players))
    with FlopCounterMode(display=False) as counter:
        for step in range(steps):
            training.step(step * BATCH)
    found = counter.get_total_flops() / BATCH / steps
    assert found == pytest.approx(step_operations(training.players, count(NETWORK)), rel=0.02)

    networks = (training.teacher, *training.networks.values(), training.average)
    parameters = [p for network in networks for p in network.parameters()]
    held = [*parameters, *(p.grad for p in parameters if p.grad is not None)]
    for optimizer in training.optimizers.values():
        held += [value for state in optimizer.state.values() for value in state.values()]
    numbers = sum(tensor.numel() for tensor in held if tensor.dim())
    # What takes the augmentation's labels gets no gradient in the generator.
    expected = 6 * count(NETWORK).weights + 4 * others(recipe(method), NETWORK)
    assert numbers == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("method", ["sid", "sida"])
def test_players_and_the_table_of_rates_agree(method: str) -> None:
    made = recipe(method)
    found = step_operations(made.method.players(made), count(NETWORK))
    assert found == operations(method, count(NETWORK))


def kept(compute: Callable[[], object], own: set[int]) -> int:
    """Bytes that autograd keeps, the weights left out."""
    found: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            found[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = compute()
    assert result is not None
    return sum(tensor.untyped_storage().nbytes() for tensor in found.values())


def test_activations_are_those_of_a_real_turn_of_the_generator() -> None:
    training = distillation("sid")
    training.generator.train().requires_grad_(True)
    networks = (training.teacher, *training.networks.values())
    own = {p.untyped_storage().data_ptr() for network in networks for p in network.parameters()}
    _, generator = training.players
    found = kept(lambda: training.loss(generator, 0, BATCH, 0), own)
    # Two of the three networks run without the dropout that is counted for all.
    assert found == pytest.approx(generator.graphs * BATCH * count(NETWORK).saved, rel=0.1)


def test_half_precision_keeps_about_half_and_copies_of_the_weights() -> None:
    whole, half = count(NETWORK), count(NETWORK.model_copy(update={"use_fp16": True}))
    assert half.forward == whole.forward
    assert 0.45 < half.saved / whole.saved < 0.8  # The attention's softmax stays in float32.
    assert whole.casts < 0.05 * 4 * whole.weights
    assert half.casts == pytest.approx(2 * half.weights, rel=0.2)
