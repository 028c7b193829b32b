import numpy as np

from sid.evaluate.metrics.jackknife import random_groups


def test_groups_are_random_by_seed() -> None:
    one, again, other = (random_groups(95, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert sorted(np.bincount(one).tolist()) == [9] * 5 + [10] * 5
    # Images sorted by class: every group gets its share of the first half.
    assert np.bincount(random_groups(10_000, 0)[:5000]).min() > 400
