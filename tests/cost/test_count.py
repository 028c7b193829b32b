"""What is counted on empty tensors is what a real step does and keeps."""

from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.step_throughput import METHODS, data
from sid.cost.cost import GRAPHS, HELD
from sid.cost.count import count
from sid.cost.rates import operations
from sid.distill.distillation import Distillation
from sid.distill.recipe import Recipe
from sid.networks import Architecture
from sid.runs.world import World
from tests.conftest import tiny_recipe

BATCH = 4
SMALL = {"img_resolution": 16, "img_channels": 3, "model_channels": 32, "channel_mult": (1, 2)}
NETWORK = Architecture(**SMALL, num_blocks=2, augment_dim=9, attn_resolutions=(8,), dropout=0.1)


def recipe(method: str) -> Recipe:
    return tiny_recipe(method=METHODS[method], batch=BATCH, dropout=0.1, augment=0.1, data="noise")


def distillation(method: str) -> Distillation:
    torch.manual_seed(0)
    made = recipe(method)
    return Distillation(made, NETWORK.build(), None, data("small"), 0, torch.device("cpu"), World())


@pytest.mark.parametrize("method", ["sid", "sida"])
def test_operations_are_those_of_a_real_step(method: str) -> None:
    training = distillation(method)
    with FlopCounterMode(display=False) as counter:
        training.step(0)
    found = counter.get_total_flops() / BATCH
    assert found == pytest.approx(operations(method, count(NETWORK)), rel=0.02)


def test_numbers_held_are_those_of_a_real_run() -> None:
    training = distillation("sid")
    training.step(0)
    networks = (training.teacher, training.fake, training.generator, training.average)
    parameters = [p for network in networks for p in network.parameters()]
    held = [*parameters, *(p.grad for p in parameters if p.grad is not None)]
    for adam in (training.fake_adam, training.generator_adam):
        held += [value for state in adam.state.values() for value in state.values()]
    found = sum(tensor.numel() for tensor in held if tensor.dim())
    # What takes the augmentation's labels gets no gradient in the generator.
    assert found == pytest.approx(HELD["distill"] * count(NETWORK).weights, rel=1e-3)


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
    networks = (training.teacher, training.fake, training.generator)
    own = {p.untyped_storage().data_ptr() for network in networks for p in network.parameters()}
    found = kept(lambda: training._generator_loss(0, BATCH, 0), own)
    # Two of the three networks run without the dropout that is counted for all.
    assert found == pytest.approx(GRAPHS["distill"] * BATCH * count(NETWORK).saved, rel=0.1)


def test_half_precision_keeps_about_half_and_copies_of_the_weights() -> None:
    whole, half = count(NETWORK), count(NETWORK.model_copy(update={"use_fp16": True}))
    assert half.forward == whole.forward
    assert 0.45 < half.saved / whole.saved < 0.8  # The attention's softmax stays in float32.
    assert whole.casts < 0.05 * 4 * whole.weights
    assert half.casts == pytest.approx(2 * half.weights, rel=0.2)
