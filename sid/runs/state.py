"""Checkpoints that a run resumes from: whole, checked, and never the only one."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sid.errors import UserError
from sid.networks.weights import load_tensors, save_tensors

KEEP = 2


@dataclass(frozen=True)
class State:
    """Everything that a run needs to go on.

    Attributes:
        images: images seen.
        log_bytes: length of the log at that time; what was logged later is cut off on resume.
        seconds: training time so far.
        tensors: weights, averages and optimiser moments by name.
    """

    images: int
    log_bytes: int
    seconds: float
    tensors: dict[str, Tensor]


def save_state(folder: Path, state: State) -> None:
    """Write a checkpoint, then remove all but it and the one before."""
    metadata = {"images": state.images, "log_bytes": state.log_bytes, "seconds": state.seconds}
    written = state_path(folder, state.images)
    save_tensors(written, state.tensors, metadata)
    paths = sorted(folder.glob("*.safetensors"))
    # Later ones are damaged: this run was resumed from before them.
    kept = [path for path in paths if path <= written][-KEEP:]
    for path in set(paths) - set(kept):
        path.unlink()


def state_path(folder: Path, images: int) -> Path:
    """Where the checkpoint after `images` images is; names sort by images."""
    return folder / f"{images:012d}.safetensors"


def load_state(folder: Path, images: int) -> State:
    """The checkpoint after `images` images.

    Raises:
        UserError: it is missing or damaged.
    """
    tensors, about = load_tensors(state_path(folder, images))
    return State(about["images"], about["log_bytes"], about["seconds"], tensors)


def load_newest(folder: Path) -> State | None:
    """The newest checkpoint that is whole, or None; a damaged one is reported and passed over.

    Raises:
        UserError: there are checkpoints and none is whole.
    """
    paths = sorted(folder.glob("*.safetensors"), reverse=True)
    for path in paths:
        try:
            return load_state(folder, int(path.stem))
        except UserError as error:
            print(f"warning: {error}; going back to the one before", file=sys.stderr, flush=True)
    if paths:
        raise UserError(
            f"{folder}: no checkpoint is whole; delete {folder.parent} to train from the start"
        )
    return None


def pack(
    modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Weights and optimiser moments as one flat dictionary of tensors."""
    tensors = {
        f"{m}.{k}": v for m, module in modules.items() for k, v in module.state_dict().items()
    }
    for name, optimizer in optimizers.items():
        for index, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{key}": value for key, value in moments.items()}
    return tensors


def unpack(
    tensors: Mapping[str, Tensor],
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Load what `pack` made back into modules and optimisers of the same make."""
    for name, module in modules.items():
        mine = {
            k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")
        }
        module.load_state_dict(mine)
    for name, optimizer in optimizers.items():
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(f"{name}."):
                index, moment = key.removeprefix(f"{name}.").split(".")
                moments.setdefault(int(index), {})[moment] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": moments, "param_groups": groups})
