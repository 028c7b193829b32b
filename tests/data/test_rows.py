"""Rows of files, indexed as arrays are."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sid.data.rows import BLOCK, Rows

RNG = np.random.default_rng(0)


def written(path: Path, array: np.ndarray[Any, Any], offset: int = 0) -> Rows:
    path.write_bytes(bytes(offset) + array.tobytes())
    return Rows(path, array.dtype, array.shape, offset)


@pytest.mark.parametrize("width", [0, 3, BLOCK])  # Rows of no bytes, of some, larger than a block.
@pytest.mark.parametrize(
    "index",
    [
        5,
        -1,
        np.int64(7),
        slice(None),
        slice(4, 11),
        slice(30, 2),
        slice(None, None, -3),
        np.array([], np.int64),
        np.array([9, 9, 0, 39, -40, 9]),
        RNG.integers(-40, 40, (2, 3, 4)),
        RNG.random(40) < 0.3,
    ],
)
def test_rows_are_those_of_the_array(tmp_path: Path, index: Any, width: int) -> None:
    array = RNG.integers(0, 256, (40, 2, width), dtype=np.uint8)
    found = written(tmp_path / "x", array, offset=5)[index]
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array[index])


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    rows = written(tmp_path / "x", np.zeros((9, 3), np.float32))
    with pytest.raises(IndexError):
        rows[np.array([9])]
    (tmp_path / "x").write_bytes(bytes(100))
    with pytest.raises(OSError, match="the file ends after 100 of its bytes"):
        rows[np.array([8, 7])]


def test_rows_near_each_other_are_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = RNG.normal(size=(20_000, 64)).astype(np.float32)
    rows, index = written(tmp_path / "x", array), RNG.permutation(20_000)[:1000]
    reads, real = [], os.preadv

    def counted(file: int, buffers: list[memoryview], place: int) -> int:
        reads.append(place)
        return real(file, buffers, place)

    monkeypatch.setattr(os, "preadv", counted)
    np.testing.assert_array_equal(rows[index], array[index])
    assert len(reads) <= array.nbytes // BLOCK + 1  # 79 blocks.


def test_rows_without_columns(tmp_path: Path) -> None:
    """Of an extractor without logits."""
    rows = Rows(tmp_path / "rows", np.float32, (5, 0), writable=True)
    rows.write(2, np.zeros((3, 0), np.float32))
    assert rows[1:4].shape == (3, 0)
    assert rows[np.array([4, 0])].shape == (2, 0)
