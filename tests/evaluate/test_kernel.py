import numpy as np
import pytest
import torch

from sid.evaluate.compat import torch_fidelity
from sid.evaluate.kernel import kernel, kernel_distance, mmd


def test_kernel_by_hand() -> None:
    assert kernel(np.array([[1.0, 2]]), np.array([[3.0, 1]])).item() == (5 / 2 + 1) ** 3


def test_mmd_by_hand() -> None:
    # k(0, .) = 1, k(1, 1) = 8 with d = 1.
    zeros, ones = np.zeros((3, 1)), np.ones((4, 1))
    assert mmd(zeros, ones) == pytest.approx(1 + 8 - 2 * 1)


def test_same_distribution_is_about_zero() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4000, 8))
    value, stderr = kernel_distance(x, y, 20, 500, 0)
    assert abs(value) < 4 * stderr
    x, y = rng.normal(size=(2, 4000, 8))
    shifted, stderr = kernel_distance(x + 0.5, y, 20, 500, 0)
    assert shifted > 4 * stderr


def test_agrees_with_torch_fidelity_on_all_samples() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(300, 8)), rng.normal(0.3, 1, size=(300, 8))
    # One subset of everything is the same whatever the order.
    theirs = torch_fidelity.metric_kid.kid_features_to_metric(
        torch.from_numpy(x),
        torch.from_numpy(y),
        kid_subsets=1,
        kid_subset_size=300,
        rng_seed=0,
        verbose=False,
    )
    assert mmd(x, y) == pytest.approx(theirs[torch_fidelity.KEY_METRIC_KID_MEAN], rel=1e-10)
    assert kernel_distance(x, y, 2, 300, 0)[0] == pytest.approx(mmd(x, y), rel=1e-10)


def test_seed_chooses_the_subsets() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 400, 4))
    values = [kernel_distance(x, y, 5, 100, seed) for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]
