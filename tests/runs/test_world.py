"""Splitting a batch over micro-batches and processes."""

import pytest

from sid.errors import UserError
from sid.runs.world import World


def test_all_processes_together_have_each_micro_batch_once() -> None:
    parts = [World(rank, 4).share(256, 512, 16) for rank in range(4)]
    assert [part for rank in parts for part in rank] == World().share(256, 512, 16)
    assert parts[1][0] == (256 + 64, 256 + 80)
    assert World().share(0, 8, 8) == [(0, 8)]


@pytest.mark.parametrize(("batch", "micro", "size"), [(2048, 64, 3), (10, 4, 1), (8, 8, 2)])
def test_a_batch_that_does_not_split_is_refused(batch: int, micro: int, size: int) -> None:
    with pytest.raises(UserError, match=f"batch: {batch} images do not split"):
        World(0, size).share(0, batch, micro)
