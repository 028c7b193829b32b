import numpy as np
import pytest
import torch

from sid.evaluate.features.moments import Array
from sid.evaluate.implementations.libraries import torch_fidelity
from sid.evaluate.metrics.kernel import Side, kernel, kernel_distance, mmd


def test_kernel_by_hand() -> None:
    assert kernel(np.array([[1.0, 2]]), np.array([[3.0, 1]])).item() == (5 / 2 + 1) ** 3


def test_mmd_by_hand() -> None:
    # k(0, .) = 1, k(1, 1) = 8 with d = 1.
    zeros, ones = np.zeros((3, 1)), np.ones((4, 1))
    found = mmd(zeros, ones)
    assert found.value == pytest.approx(1 + 8 - 2 * 1)
    assert found.variance(3, 4) == 0


def test_components_of_the_variance() -> None:
    # (x y + 1)^3 with x and y of 1 and -1 is 8 or 0, that is 4 + 4 x y. Of all ones against as
    # many of 1 as of -1: k is 8 within x, 4 + 4 y across and 4 + 4 y y' within y.
    ones, even = np.ones((1000, 1)), np.tile([[1.0], [-1]], (500, 1))
    found = mmd(ones, even)
    assert found.value == pytest.approx(8 + 4 - 2 * 4, abs=0.01)
    # The witness of y is 4 - (4 + 4 y); pairs vary within y alone.
    assert found[1:] == pytest.approx((0, 16, 0, 16, 0), abs=0.05)
    assert found.variance(50, 100) == pytest.approx(4 * 16 / 100 + 2 * 16 / 9900, rel=0.01)


def discrepancy(x: Array, y: Array) -> list[float]:
    """What `mmd` finds, from whole matrices and the components' definitions."""

    def centred(k: Array, rows: Array, columns: Array) -> Array:
        found: Array = k - rows[:, None] - columns + rows.mean()
        return found

    across = kernel(x, y)
    of_x, of_y = across.mean(axis=1), across.mean(axis=0)
    pairs = (centred(across, of_x, of_y) ** 2).mean()
    values, witnesses, within = [], [], []
    for vectors, other in ((x, of_x), (y, of_y)):
        n, own = len(vectors), kernel(vectors, vectors)
        others = ~np.eye(n, dtype=bool)
        mean = np.where(others, own, 0).sum(axis=1) / (n - 1)
        within.append((centred(own, mean, mean)[others] ** 2).mean())
        noise = within[-1] / (n - 1) + pairs * n / across.size
        witnesses.append(np.var(mean - other, ddof=1) - noise)
        values.append((mean - other).mean())
    return [sum(values), *witnesses, *within, pairs]


@pytest.mark.parametrize(("n", "m"), [(2, 3), (63, 64), (150, 129)])  # Rows come 64 at a time.
def test_components_are_those_of_whole_matrices(n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.2, 1, size=(n, 5)), rng.normal(size=(m, 5))
    assert mmd(x, y) == pytest.approx(discrepancy(x, y), rel=1e-9)


def test_equal_vectors_have_no_negative_variance() -> None:
    rng = np.random.default_rng(0)
    x, y = np.tile(rng.normal(size=(1, 7)), (300, 1)), rng.normal(size=(200, 7))
    for one, other in ((x, y), (y, x), (x, x)):
        found = mmd(one, other)
        assert min(found.pairs_x, found.pairs_y, found.pairs_across) >= 0
        assert np.isfinite(kernel_distance(one, other, 5, 100, 0).stderr)


def test_what_the_reference_s_subsets_gave_is_used_again() -> None:
    rng = np.random.default_rng(0)
    x, other, y = rng.normal(size=(300, 4)), rng.normal(size=(300, 4)), rng.normal(size=(200, 4))
    sides: list[Side] = []
    assert kernel_distance(x, y, 5, 100, 0, sides) == kernel_distance(x, y, 5, 100, 0)
    assert [len(side.mean) for side in sides] == [100] * 5
    assert kernel_distance(other, y, 5, 100, 0, sides) == kernel_distance(other, y, 5, 100, 0)
    wrong = [side._replace(mean=side.mean + 1) for side in sides]
    found = kernel_distance(other, y, 5, 100, 0, wrong)
    assert found.value == pytest.approx(kernel_distance(other, y, 5, 100, 0).value + 1)


def test_same_distribution_is_about_zero() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4000, 8))
    found = kernel_distance(x, y, 20, 500, 0)
    assert abs(found.value) < 4 * found.subset_stderr
    x, y = rng.normal(size=(2, 4000, 8))
    found = kernel_distance(x + 0.5, y, 20, 500, 0)
    assert found.value > 4 * found.stderr


@pytest.mark.parametrize("seed", [0, 7])
def test_agrees_with_torch_fidelity_on_its_subsets(seed: int) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(300, 8)), rng.normal(0.3, 1, size=(410, 8))
    options = {"kid_subsets": 6, "kid_subset_size": 100, "rng_seed": seed, "verbose": False}
    metric, tensors = torch_fidelity.metric_kid, (torch.from_numpy(x), torch.from_numpy(y))
    theirs = metric.kid_features_to_metric(*tensors, **options)
    found = kernel_distance(x, y, 6, 100, seed)
    assert found.value == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-10)
    deviation = theirs["kernel_inception_distance_std"]
    assert found.subset_stderr * np.sqrt(5) == pytest.approx(deviation, rel=1e-10)


@pytest.mark.parametrize("shift", [0, 0.3])
def test_error_is_the_spread_of_new_images(shift: float) -> None:
    rng = np.random.default_rng(0)

    def drawn(n: int, mean: float) -> Array:
        vectors: Array = rng.normal(mean, 1, size=(n, 4))
        return vectors

    rows = [kernel_distance(drawn(300, shift), drawn(200, 0), 10, 100, s) for s in range(300)]
    found = np.array(rows)
    spread, claimed = found[:, 0].std(ddof=1), np.sqrt((found[:, 1] ** 2).mean())
    assert claimed / spread == pytest.approx(1, abs=0.15)  # The spread of 300 is good to 4 %.
    # The error by subsets alone is no error of the images.
    assert np.sqrt((found[:, 2] ** 2).mean()) < 0.8 * spread


def test_more_subsets_do_not_make_more_images() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 400, 4))
    few, many = (kernel_distance(x + 0.3, y, subsets, 200, 0) for subsets in (10, 160))
    assert many.subset_stderr < 0.4 * few.subset_stderr
    assert many.stderr > 0.8 * few.stderr
