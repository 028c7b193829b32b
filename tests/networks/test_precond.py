"""The preconditioned network: what one forward gives, and its limits."""

import torch

from sid.networks.precond import one_step
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


def test_labels_and_augmentation_change_the_output() -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    x, sigma = torch.randn(1, 1, 8, 8), torch.tensor([1.0])
    plain = network.bottleneck(x, sigma)
    assert not torch.equal(plain, network.bottleneck(x, sigma, torch.eye(3)[:1]))
    assert not torch.equal(plain, network.bottleneck(x, sigma, None, torch.ones(1, 9)))


def test_preconditioning_at_its_ends() -> None:
    """c_skip tends to 1 without noise and to 0 under much; a fresh network adds about nothing."""
    torch.manual_seed(0)
    network = SMALL.build().eval()
    x = torch.randn(1, 1, 8, 8)
    little, much = torch.tensor([1e-4]), torch.tensor([80.0])
    torch.testing.assert_close(network(x, little), x, rtol=1e-3, atol=1e-3)
    assert network(80 * x, much).abs().max() < 0.05


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
