"""The processes that train one run together: one a GPU, started by `torchrun`, or this one alone.

Gradients are summed by explicit all-reduces after the last micro-batch, and not by
DistributedDataParallel, whose hooks see a network's `forward` alone and not its other passes.
"""

import atexit
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from sid.errors import UserError

# The main process may wait for another trainer's lock; one that dies is noticed by `torchrun`.
PATIENCE = timedelta(days=7)


@dataclass(frozen=True)
class World:
    """This process among those of its run.

    Attributes:
        rank: of this process.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def main(self) -> bool:
        """Whether this process writes the run's files."""
        return self.rank == 0

    def share(self, start: int, stop: int, micro: int) -> list[tuple[int, int]]:
        """This process's micro-batches of places `start` to `stop`, as (start, stop).

        All processes together have each micro-batch once, so that what is computed of one does not
        depend on how many processes there are.

        Raises:
            UserError: the batch does not split evenly.
        """
        count = (stop - start) // micro
        if count * micro != stop - start or count % self.size:
            raise UserError(
                f"batch: {stop - start} images do not split into micro-batches of {micro} over "
                f"{self.size} processes; change micro_batch or the number of processes"
            )
        first = start + self.rank * (count // self.size) * micro
        return [(first + k * micro, first + (k + 1) * micro) for k in range(count // self.size)]

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes."""
        if self.size > 1:
            for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
                work.wait()

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            dist.barrier()


def join(device: torch.device) -> tuple[World, torch.device]:
    """The world that `torchrun` describes in the environment, and this process's own device.

    Args:
        device: what was asked for; with several processes `cuda` becomes the local rank's GPU.

    Raises:
        UserError: there are fewer GPUs than processes.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World(), device
    if device.type == "cuda":
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise UserError(f"{torch.cuda.device_count()} GPUs for more processes; start fewer")
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE)
        atexit.register(dist.destroy_process_group)
    return World(dist.get_rank(), dist.get_world_size()), device
