"""The reader agrees with Python's own on plain data, and says no to the rest."""

import gc
import pickle
from typing import Any

import numpy as np
import pytest

from sid.errors import UserError
from sid.unpickle import NUMPY_ARRAYS, Global, restricted_loads
from sid.unpickle.tree import check_tree
from workflow.rehearsal.cifar10 import python2_pickle
from workflow.rehearsal.official_pickle import Call, dumps

PLAIN: Any = {
    "none": None,
    "flags": [True, False],
    "numbers": [0, 255, 256, -1, 1 << 40, -(1 << 70), 1.5, float("inf")],
    "texts": ["", "a\nb'\\", "ü" * 300, "x" * 70_000],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), tuple(range(50))],
    "nested": {"a": {"b": [{}]}, 7: []},
}


def shared() -> Any:
    inner = [1, 2]
    return {"a": inner, "b": inner}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [PLAIN, shared(), 5, "word", None])
def test_plain_data_as_python_reads_it(value: Any, protocol: int) -> None:
    assert restricted_loads(pickle.dumps(value, protocol), {}, "x") == value


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_bytes_and_sets(protocol: int) -> None:
    values = [b"", b"\x00\xff", b"y" * 70_000]
    assert restricted_loads(pickle.dumps(values, protocol), {}, "x") == values
    if protocol > 3:
        sets = {"s": {1, "a"}, "f": frozenset([2])}
        assert restricted_loads(pickle.dumps(sets, protocol), {}, "x") == sets


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.array([1, -2], dtype=">i4"),
        np.array(3.5, dtype=np.float16),
        np.zeros((0, 3), np.float32),
        np.array([True, False]),
    ],
)
def test_arrays(array: np.ndarray, protocol: int) -> None:
    content = pickle.dumps({"a": array}, protocol)
    found = restricted_loads(content, NUMPY_ARRAYS, "x")["a"]
    assert type(found) is np.ndarray
    assert found.dtype == pickle.loads(content)["a"].dtype
    array = array.astype(found.dtype)  # NumPy reads big-endian arrays into native ones.
    np.testing.assert_array_equal(found, array, strict=True)


@pytest.mark.parametrize("scalar", [np.float64(0.5), np.int64(-3), np.bool_(True)])
def test_scalars_become_plain_numbers(scalar: Any) -> None:
    found = restricted_loads(pickle.dumps(scalar), NUMPY_ARRAYS, "x")
    assert found == scalar.item()
    assert type(found) is type(scalar.item())


def test_python_2_strings() -> None:
    """A CIFAR-10 batch as Python 2 and NumPy 1 wrote it."""
    images = np.array([[0, 127, 128], [255, 1, 2]], np.uint8)
    content = python2_pickle(images, [6, 9])
    batch = restricted_loads(content, NUMPY_ARRAYS, "x")
    assert batch.keys() == {"data", "labels"}
    assert batch["labels"] == [6, 9]
    np.testing.assert_array_equal(batch["data"], images, strict=True)
    assert pickle.loads(content, encoding="latin1").keys() == batch.keys()


def test_a_name_that_is_not_called_stays_a_name() -> None:
    found = restricted_loads(pickle.dumps(np.ndarray), NUMPY_ARRAYS, "x")
    assert found == Global("numpy", "ndarray")
    assert str(found) == "numpy.ndarray"


def test_a_callers_list() -> None:
    allowed = {("a.b", "Pair"): lambda left, right: [left, right]}
    assert restricted_loads(dumps(Call("a.b", "Pair", 1, 2)), allowed, "x") == [1, 2]
    with pytest.raises(UserError, match=r"^x: damaged or not a pickle \(a\.b\.Pair: .*argument"):
        restricted_loads(dumps(Call("a.b", "Pair", 1)), allowed, "x")
    with pytest.raises(UserError, match=r"^x: refused: it names a\.b\.Other, .*none of it was run"):
        restricted_loads(dumps(Call("a.b", "Other", 1)), allowed, "x")


@pytest.mark.parametrize(
    ("array", "part"),
    [
        (np.array([None], dtype=object), "other than plain numbers"),
        (np.array(["a"]), "other than plain numbers"),
        (np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "other than plain numbers"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "other than plain numbers"),
    ],
)
def test_arrays_of_other_things(array: np.ndarray, part: str) -> None:
    with pytest.raises(UserError, match=part):
        restricted_loads(pickle.dumps(array, 4), NUMPY_ARRAYS, "x")


U1 = Call("numpy", "dtype", "u1", False, True)


@pytest.mark.parametrize(
    ("shape", "dtype", "raw"),
    [
        ((1 << 40, 1 << 40), U1, b""),
        ((3,), U1, b"ab"),
        ((-1, -2), U1, b"ab"),
        ((2.0,), U1, b"ab"),
        ((1,) * 9, U1, b"a"),
        ((2,), "u1", b"ab"),
        ((2,), U1, [1, 2]),
    ],
)
def test_arrays_that_lie(shape: Any, dtype: Any, raw: Any) -> None:
    call = Call("numpy._core.numeric", "_frombuffer", raw, dtype, shape, "C")
    with pytest.raises(UserError, match=r"^x: damaged"):
        restricted_loads(dumps(call), NUMPY_ARRAYS, "x")


def test_trees() -> None:
    deep: list[Any] = []
    for _ in range(99):
        deep = [deep]
    check_tree(deep)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        check_tree([deep])
    twice = [1]
    check_tree([twice, twice, [twice]])
    twice.append(twice)
    with pytest.raises(ValueError, match="contains itself"):
        check_tree([twice])


def test_deep_trees_are_freed() -> None:
    """Half a million nested lists end as an error, and their memory without a stack overflow."""
    with pytest.raises(UserError, match="nested more than 100 deep"):
        restricted_loads(b"]" * 450_000 + b"a" * 449_999 + b".", {}, "x")
    gc.collect()
