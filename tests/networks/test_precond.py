"""The preconditioned network: what one forward gives, and its limits."""

import torch

from sid.networks.precond import one_step
from sid.streams import Stream
from tests.networks.cases import SMALL


def test_one_forward_gives_both_outputs() -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    x, sigma = torch.randn(2, 1, 8, 8), torch.tensor([0.1, 3.0])
    labels = torch.eye(3)[:2]
    both = network.both(x, sigma, labels)
    assert both.denoised.shape == (2, 1, 8, 8)
    assert both.bottleneck.shape == (2, 16, 4, 4)
    assert torch.equal(both.denoised, network(x, sigma, labels))
    assert torch.equal(both.bottleneck, network.bottleneck(x, sigma, labels))


def test_one_step_is_the_denoiser_at_sigma_init() -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    z = torch.randn(2, 1, 8, 8)
    expected = network(2.5 * z, torch.tensor([2.5, 2.5]))
    assert torch.equal(one_step(network, z, 2.5, None), expected)


def test_all_is_float32_whatever_comes_in() -> None:
    network = SMALL.build().eval()
    both = network.both(torch.zeros(1, 1, 8, 8, dtype=torch.float64), torch.ones(1).double())
    assert both.denoised.dtype == both.bottleneck.dtype == torch.float32


def test_a_seed_gives_the_same_weights_and_outputs_for_good() -> None:
    """Of the first layer drawn and the last, from the code before there were other U-Nets."""
    torch.manual_seed(0)
    network = SMALL.build().eval()
    state = network.state_dict()
    known = {
        "model.map_label.weight": [-0.478712380, -0.339978337, -0.515980184],
        "model.dec.8x8_aux_conv.weight": [-0.222303852e-5, 0.134751260e-5, 0.107366897e-5],
    }
    for name, expected in known.items():
        found = state[name].flatten()[:3]
        torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-6, atol=0)
    x = Stream(0, "x").normal(0, 1, (1, 8, 8))
    both = network.both(x, torch.tensor([2.0]), torch.eye(3)[:1])
    denoised = torch.tensor([-0.085243709, -0.086737923, -0.007180049])
    torch.testing.assert_close(both.denoised[0, 0, 0, :3], denoised, rtol=1e-5, atol=1e-7)
    bottleneck = torch.tensor([0.002678223, -0.039655272, 0.005500951])
    torch.testing.assert_close(both.bottleneck[0, :3, 1, 1], bottleneck, rtol=1e-4, atol=1e-7)
