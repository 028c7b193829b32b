"""Real images and their classes, in the order of training, as the tensors that networks take."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from sid.data.images import ImageSet
from sid.runs.world import World
from sid.streams import epoch_order


def to_unit(images: Tensor) -> Tensor:
    """Images 0 .. 255, uint8 -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


class Loader:
    """What stands at places `start` to `stop` of the training order.

    Images that are not in memory are read ahead: while a step trains on one micro-batch, a thread
    decodes the next one of this process. Which images these are depends on seed and place alone.

    Args:
        data: the data set.
        seed: of the order.
        device: where the tensors go.
        world: the processes of the run.
        batch: images of a step, over all processes.
        micro: images of a micro-batch.
    """

    def __init__(
        self, data: ImageSet, seed: int, device: torch.device, world: World, batch: int, micro: int
    ) -> None:
        self._data, self._seed, self._device = data, seed, device
        self._world, self._batch, self._micro = world, batch, micro
        self._thread = ThreadPoolExecutor(1)  # It starts when it is first given something to do.
        self._ahead: dict[tuple[int, int], Future[NDArray[np.uint8]]] = {}

    def index(self, start: int, stop: int) -> NDArray[np.int64]:
        """Which images of the data set they are, int64 [stop - start]."""
        found: NDArray[np.int64] = epoch_order(self._seed, start, stop, len(self._data)).numpy()
        return found

    def images(self, start: int, stop: int) -> Tensor:
        """The images in [-1, 1], float32 [stop - start, C, H, W].

        Raises:
            UserError: one of them is damaged or of another size.
        """
        if isinstance(self._data.images, np.ndarray):
            found = self._data.batch(self.index(start, stop))
        else:
            reading = self._ahead.pop((start, stop), None) or self._read(start, stop)
            found = reading.result()
            following = self._following(stop)
            self._ahead = {following: self._read(*following)}
        return to_unit(torch.from_numpy(found).to(self._device))

    def classes(self, start: int, stop: int, count: int) -> Tensor | None:
        """Their classes, one-hot, [stop - start, count]; None where a network knows no classes."""
        if not count or self._data.labels is None:
            return None
        labels = torch.from_numpy(self._data.labels[self.index(start, stop)])
        return one_hot(labels, count).float().to(self._device)

    def _read(self, start: int, stop: int) -> Future[NDArray[np.uint8]]:
        return self._thread.submit(self._data.batch, self.index(start, stop))

    def _following(self, stop: int) -> tuple[int, int]:
        """The micro-batch of this process after the one that ends at `stop`."""
        begin = (stop - 1) // self._batch * self._batch
        steps = [(first, first + self._batch) for first in (begin, begin + self._batch)]
        parts = (part for step in steps for part in self._world.share(*step, self._micro))
        return next(part for part in parts if part[0] >= stop)
