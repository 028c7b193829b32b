import pytest
import torch

from sid.evaluate.compat import torch_fidelity
from sid.evaluate.inception_score import inception_score, score


def test_sure_and_even_is_the_number_of_classes() -> None:
    assert score(torch.eye(7).repeat(30, 1) * 1e4) == pytest.approx(7, rel=1e-12)


def test_a_class_never_seen_counts_nothing() -> None:
    assert score(torch.eye(7)[:3].repeat(30, 1) * 1e4) == pytest.approx(3, rel=1e-12)


def test_unsure_is_one() -> None:
    value, stderr = inception_score(torch.zeros(100, 7), 10, seed=0)
    assert value == pytest.approx(1)
    assert stderr == pytest.approx(0, abs=1e-12)


def test_agrees_with_torch_fidelity() -> None:
    logits = torch.randn(500, 6, generator=torch.Generator().manual_seed(0)) * 3
    theirs = torch_fidelity.metric_isc.isc_features_to_metric(logits, splits=1)
    assert score(logits) == pytest.approx(theirs["inception_score_mean"], rel=1e-12)


def test_splits_are_shuffled_by_seed() -> None:
    # Sorted by class, each split would hold one class and score 1.
    logits = torch.eye(5).repeat_interleave(200, dim=0) * 1e4
    values = [inception_score(logits, 5, seed) for seed in (0, 0, 1)]
    assert values[0][0] == pytest.approx(5, rel=0.05)
    assert values[0] == values[1] != values[2]
