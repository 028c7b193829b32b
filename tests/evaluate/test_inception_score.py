import numpy as np
import pytest
import torch

from sid.evaluate.implementations.libraries import torch_fidelity
from sid.evaluate.metrics.inception_score import inception_score, score

SURE = 1e4


def test_sure_and_even_is_the_number_of_classes() -> None:
    assert score(np.tile(np.eye(7), (30, 1)) * SURE) == pytest.approx(7, rel=1e-12)
    # Ten of each in every split, if the shuffle did not exist; uneven splits score a little less.
    value, stderr = inception_score(np.tile(np.eye(7), (2000, 1)) * SURE, 10, seed=0)
    assert 6.98 < value < 7
    assert stderr < 0.002


def test_a_class_never_seen_counts_nothing() -> None:
    assert score(np.tile(np.eye(7)[:3], (30, 1)) * SURE) == pytest.approx(3, rel=1e-12)


def test_unsure_is_one() -> None:
    value, stderr = inception_score(np.zeros((100, 7)), 10, seed=0)
    assert value == pytest.approx(1)
    assert stderr == pytest.approx(0, abs=1e-12)


def test_one_class_is_one() -> None:
    logits = np.random.default_rng(0).normal(size=(40, 1))
    assert inception_score(logits, 4, seed=0) == (1, 0)


@pytest.mark.parametrize(("n", "splits", "seed"), [(500, 10, 0), (503, 10, 5), (11, 2, 1)])
def test_agrees_with_torch_fidelity(n: int, splits: int, seed: int) -> None:
    logits = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32) * 3
    theirs = torch_fidelity.metric_isc.isc_features_to_metric(
        torch.from_numpy(logits), splits=splits, rng_seed=seed
    )
    value, stderr = inception_score(logits, splits, seed)
    assert value == pytest.approx(theirs["inception_score_mean"], rel=1e-12)
    deviation = stderr * np.sqrt(splits - 1)
    assert deviation == pytest.approx(theirs["inception_score_std"], rel=1e-9)


def test_splits_are_shuffled_by_seed() -> None:
    # Sorted by class, each split would hold one class and score 1.
    logits = np.repeat(np.eye(5), 200, axis=0) * SURE
    values = [inception_score(logits, 5, seed) for seed in (0, 0, 1)]
    assert values[0][0] == pytest.approx(5, rel=0.05)
    assert values[0] == values[1] != values[2]
