import numpy as np
import pytest

from sid.evaluate.features.moments import Array
from sid.evaluate.metrics import neighbours
from sid.evaluate.metrics.neighbours import Manifold
from sid.evaluate.metrics.precision_recall import PrecisionRecall, precision_recall


def values(generated: Array, real: Array) -> list[float]:
    return [estimate.value for estimate in precision_recall(generated, Manifold(real), 0)]


def brute(generated: Array, real: Array) -> list[float]:
    """The papers' definitions, one pair at a time."""

    def radius(x: Array, k: int) -> list[float]:
        return [sorted(np.linalg.norm(x - one, axis=1))[k] for one in x]  # [0] is itself.

    def inside(points: Array, balls: Array, radii: list[float]) -> Array:
        pairs = zip(balls, radii, strict=True)
        return np.array([np.linalg.norm(points - centre, axis=1) <= r for centre, r in pairs])

    three, five = inside(generated, real, radius(real, 3)), inside(generated, real, radius(real, 5))
    back = inside(real, generated, radius(generated, 3))
    return [
        three.any(axis=0).mean(),
        back.any(axis=0).mean(),
        five.sum() / (5 * len(generated)),
        five.any(axis=1).mean(),
    ]


@pytest.mark.parametrize("tile", [7, 1024])
@pytest.mark.parametrize(("n", "m"), [(60, 80), (80, 45), (6, 50)])
def test_brute_force(n: int, m: int, tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "TILE", tile)
    rng = np.random.default_rng(n)
    generated, real = rng.normal(0.4, 0.8, (n, 3)), rng.normal(size=(m, 3))
    assert values(generated, real) == pytest.approx(brute(generated, real), rel=1e-12)


@pytest.mark.parametrize("scale", [1, 1e-3, 1e4])
def test_identical_sets(scale: float) -> None:
    x = (np.random.default_rng(0).normal(5, 1, (1500, 40)) * scale).astype(np.float32)
    for generated in (x, x[::-1]):
        found = values(generated, x)
        assert (found[0], found[1], found[3]) == (1, 1, 1)


def test_identical_sets_with_duplicates() -> None:
    x = np.repeat(np.random.default_rng(0).normal(5, 1, (100, 40)), 8, axis=0)
    # Every ball has a radius of zero, and the eight copies inside: 8 / 5.
    assert values(x, x) == pytest.approx([1, 1, 1.6, 1])
    assert values(x + 1e-6, x) == [0, 0, 0, 0]


def test_disjoint_sets() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 200, 5))
    assert precision_recall(x + 100, Manifold(y), 0) == PrecisionRecall(*[(0, 0)] * 4)


def test_one_point_for_all() -> None:
    # All images the same, at a real one: precise, and of all real images only that one is reached.
    real = np.random.default_rng(0).normal(size=(300, 5))
    precision, recall, _, coverage = values(np.repeat(real[:1], 200, axis=0), real)
    assert (precision, recall) == (1, 1 / 300)
    assert coverage < 0.1


@pytest.mark.parametrize("dropped", [1, 3])
def test_dropped_modes(dropped: int) -> None:
    rng = np.random.default_rng(0)
    centres = 50 * np.eye(10)

    def draw(modes: int) -> Array:
        return np.concatenate([c + rng.normal(size=(200, 10)) for c in centres[:modes]])

    real = draw(10)
    whole, part = values(draw(10), real), values(draw(10 - dropped), real)
    share = 1 - dropped / 10
    assert whole[3] > 0.9
    assert part[3] == pytest.approx(whole[3] * share, abs=0.015)
    assert part[1] == pytest.approx(whole[1] * share, abs=0.03)
    assert part[0] == pytest.approx(whole[0], abs=0.03)


def test_errors_are_the_spread_of_new_images() -> None:
    rng = np.random.default_rng(0)
    real = Manifold(rng.normal(size=(300, 5)))
    draws = [rng.normal(0.2, 0.8, (300, 5)) for _ in range(150)]
    found = np.array([precision_recall(drawn, real, seed) for seed, drawn in enumerate(draws)])
    spread = found[:, :, 0].std(axis=0, ddof=1)
    claimed = np.sqrt((found[:, :, 1] ** 2).mean(axis=0))
    ratio = dict(zip(PrecisionRecall._fields, claimed / spread, strict=True))
    # A spread of 150 is good to 6 %. The jackknife errs upwards, never far downwards.
    assert ratio["precision"] == pytest.approx(1, abs=0.18)
    assert ratio["density"] == pytest.approx(1, abs=0.18)
    assert 0.9 < ratio["recall"] < 1.8
    assert 0.9 < ratio["coverage"] < 1.8
