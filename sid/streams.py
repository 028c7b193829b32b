"""Random numbers by name, seed and index, so that no result depends on batch, rank or restart.

A stream is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011)
keyed by a hash of (seed, name). Item i owns the counters from i * c on, where c counters of four
64-bit words hold one item; so any range of items is drawn without those before it.
"""

import functools
import hashlib
import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor


class Stream:
    """An endless list of random items, addressed by index.

    Args:
        seed: the seed of the run or of the draw.
        name: what the numbers are for; streams of different names are independent.
    """

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
        self._key = np.frombuffer(digest, dtype=np.uint64)

    def _words(self, start: int, stop: int, width: int) -> NDArray[np.uint64]:
        counters = math.ceil(width / 4)
        bits = np.random.Philox(key=self._key, counter=[start * counters, 0, 0, 0])
        words: NDArray[np.uint64] = bits.random_raw((stop - start) * counters * 4)
        return words.reshape(stop - start, counters * 4)[:, :width]

    def _open_unit(self, start: int, stop: int, width: int) -> NDArray[np.float64]:
        # 53 bits, centred in their cell: never 0 and never 1, so that ndtri stays finite.
        bits = self._words(start, stop, width) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def uniform(self, start: int, stop: int) -> Tensor:
        """Items `start` to `stop` of U(0, 1), shape [stop - start], float64."""
        return torch.from_numpy(self._open_unit(start, stop, 1)[:, 0])

    def normal(self, start: int, stop: int, shape: tuple[int, ...] = ()) -> Tensor:
        """Items `start` to `stop` of N(0, I), shape [stop - start, *shape], float32.

        One uniform makes one normal (inverse transform), so an item's words are known beforehand.
        """
        unit = self._open_unit(start, stop, math.prod(shape))
        return torch.from_numpy(ndtri(unit).astype(np.float32)).reshape(stop - start, *shape)

    def integers(self, start: int, stop: int, bound: int) -> Tensor:
        """Items `start` to `stop`, uniform over 0 .. bound - 1, shape [stop - start], int64."""
        return (self.uniform(start, stop) * bound).long()


def seed_torch(seed: int, name: str, images: int) -> None:
    """Seed torch's global generator, which dropout draws from, by place in the training order."""
    digest = hashlib.blake2b(f"{seed}/{name} torch/{images}".encode(), digest_size=8).digest()
    torch.manual_seed(int.from_bytes(digest, "little") >> 1)


@functools.lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, n_items: int) -> Tensor:
    return torch.argsort(Stream(seed, f"data order {epoch}").uniform(0, n_items), stable=True)


def epoch_order(seed: int, start: int, stop: int, n_items: int) -> Tensor:
    """Which data items stand at places `start` to `stop` of the training order.

    The order is one seeded permutation of all items after another; place k belongs to permutation
    k // n_items, so a resumed run starts at its own place.

    Args:
        seed: the seed of the run.
        start: first place, in images.
        stop: one past the last place.
        n_items: items in the data set.

    Returns:
        Item indices, shape [stop - start], int64.
    """
    parts = []
    for epoch in range(start // n_items, (stop - 1) // n_items + 1):
        first, last = max(start - epoch * n_items, 0), min(stop - epoch * n_items, n_items)
        parts.append(_permutation(seed, epoch, n_items)[first:last])
    return torch.cat(parts)
