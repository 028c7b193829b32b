"""Augmentation against the official numbers, known answers, and the law of its draws."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sid.teacher.augment import LABELS, SYM6, Parameters, augment, draw_parameters, source

FIXTURE = Path(__file__).parent / "fixtures" / "augment.npz"
SIZES = [(3, 8, 8), (1, 9, 7), (3, 6, 11)]


def parameters(n: int = 1, **values: float) -> Parameters:
    """The same for n images; nothing is done where no value is given."""
    full = {field: torch.full((n,), float(values.get(field, 0))) for field in Parameters._fields}
    full |= {flip: full[flip] > 0 for flip in ("xflip", "yflip")}
    return Parameters(
        **{key: v if v.dtype == torch.bool else v.double() for key, v in full.items()}
    )


def smooth(height: int, width: int) -> Tensor:
    """Low frequencies without symmetry, [1, 1, H, W]."""
    down, right = torch.meshgrid(
        torch.arange(height) / height, torch.arange(width) / width, indexing="ij"
    )
    return (torch.sin(3 * right + 1) * torch.cos(2 * down) + 0.3 * right * down)[None, None]


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-6), (torch.float32, 1e-5)])
@pytest.mark.parametrize("case", ["square", "odd", "wide"])
def test_parity_with_the_official_pipe(case: str, dtype: torch.dtype, limit: float) -> None:
    with np.load(FIXTURE) as file:
        images, rows, out, labels = (
            torch.from_numpy(file[f"{case}_{what}"])
            for what in ("images", "parameters", "out", "labels")
        )
    given = Parameters(rows[0].bool(), rows[1].bool(), *rows[2:])
    ours, told = augment(images.to(dtype), given)
    torch.testing.assert_close(ours.double(), out, rtol=0, atol=limit)
    torch.testing.assert_close(told.double(), labels.double(), rtol=0, atol=1e-6)


def test_filter_is_orthonormal_with_six_vanishing_moments() -> None:
    taps, place = np.array(SYM6), np.arange(12)
    for shift in range(6):
        overlap = taps[2 * shift :] @ taps[: 12 - 2 * shift]
        assert overlap == pytest.approx(float(shift == 0), abs=1e-14)
    for power in range(6):
        assert np.sum((-1.0) ** place * (place / 11) ** power * taps) == pytest.approx(0, abs=1e-14)
    assert taps.sum() == pytest.approx(math.sqrt(2), abs=1e-14)


@pytest.mark.parametrize("shape", SIZES)
def test_nothing_done_is_nothing_changed(shape: tuple[int, ...]) -> None:
    images = torch.rand(4, *shape)
    out, labels = augment(images, parameters(4))
    assert torch.equal(out, images)
    assert torch.equal(labels, torch.zeros(4, LABELS))


@pytest.mark.parametrize("shape", SIZES)
def test_flips_are_exact(shape: tuple[int, ...]) -> None:
    images = torch.rand(2, *shape)
    for field, axes in (("xflip", [3]), ("yflip", [2])):
        out, labels = augment(images, parameters(2, **{field: 1}))
        assert torch.equal(out, images.flip(axes))
        assert labels[0].nonzero().flatten().tolist() == [("xflip", "yflip").index(field)]


def test_quarter_turn_is_against_the_clock() -> None:
    image = smooth(16, 16)
    out, labels = augment(image, parameters(turn=math.pi / 2))
    torch.testing.assert_close(out, image.rot90(1, (2, 3)), rtol=0, atol=0.04)
    assert (out - image).abs().max() > 0.5
    assert labels[0, 3:5].tolist() == pytest.approx([-1, 1])


def test_source_by_hand() -> None:
    eye = torch.eye(2, dtype=torch.float64)
    linear, shift = source(parameters(scale=5, right=1, down=-2), 16, 24)
    torch.testing.assert_close(linear[0], eye / 2)  # Twice as large.
    torch.testing.assert_close(shift[0], torch.tensor([2.0, -6.0], dtype=torch.float64))
    for axis, factors in ((0, [0.5, 2.0]), (math.pi / 2, [2.0, 0.5])):
        linear, _ = source(parameters(stretch=5, axis=axis), 16, 24)
        torch.testing.assert_close(linear[0], torch.diag(torch.tensor(factors).double()))


def test_labels_are_zero_where_nothing_is_done_and_only_there() -> None:
    drawn = draw_parameters(0, "augment", 0, 400, 0.15)
    images = torch.rand(400, 1, 8, 8)
    out, labels = augment(images, drawn)
    same = (out == images).flatten(1).all(dim=1)
    assert torch.equal(same, (labels == 0).all(dim=1))
    assert 0 < same.sum() < 400


def test_probabilities() -> None:
    n, p = 20_000, 0.15
    drawn = draw_parameters(0, "augment", 0, n, p)
    shares = {
        field: float((value != 0).double().mean()) for field, value in drawn._asdict().items()
    }
    expected = {"xflip": 0.5, "yflip": p / 2, "axis": 0.5}
    for field, share in shares.items():
        assert share == pytest.approx(expected.get(field, p), abs=0.015), field
    assert float(drawn.resampled().double().mean()) == pytest.approx(1 - (1 - p) ** 4, abs=0.015)
    assert torch.equal(drawn.right != 0, drawn.down != 0)
    for value in (drawn.scale, drawn.stretch, drawn.right, drawn.down):
        assert float(value[value != 0].std()) == pytest.approx(1, abs=0.06)
    for value in (drawn.turn, drawn.axis):
        assert -math.pi < value.min() < -3.1
        assert 3.1 < value.max() < math.pi
    fields = torch.stack([value.double() for value in drawn]).corrcoef().fill_diagonal_(0)
    assert fields.abs().max() < 0.05


def test_every_image_stands_alone() -> None:
    images, whole = torch.rand(9, 3, 8, 8), draw_parameters(3, "augment", 0, 9, 0.8)
    out, labels = augment(images, whole)
    assert whole.resampled().sum() > 3
    for start, stop in ((0, 1), (1, 4), (4, 9)):
        part = draw_parameters(3, "augment", start, stop, 0.8)
        assert all(torch.equal(a, b[start:stop]) for a, b in zip(part, whole, strict=True))
        ours, told = augment(images[start:stop], part)
        torch.testing.assert_close(ours, out[start:stop], rtol=0, atol=1e-6)
        assert torch.equal(told, labels[start:stop])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_is_kept_and_gradient_flows(dtype: torch.dtype) -> None:
    drawn = draw_parameters(0, "augment", 0, 6, 0.9)
    images = torch.rand(6, 1, 8, 8, dtype=dtype, requires_grad=True)
    out, labels = augment(images, drawn)
    assert out.dtype == labels.dtype == dtype
    out.sum().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().sum(dim=1) > 0).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_device_is_kept() -> None:
    drawn, images = draw_parameters(0, "augment", 0, 6, 0.9), torch.rand(6, 3, 8, 8)
    out, labels = augment(images.cuda(), drawn)
    assert out.is_cuda
    assert labels.is_cuda
    torch.testing.assert_close(out.cpu(), augment(images, drawn)[0], rtol=0, atol=1e-5)
