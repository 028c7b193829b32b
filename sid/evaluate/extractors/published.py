"""The 2015 Inception's two published files, by their names in `sid fetch`."""

import warnings
from pathlib import Path

import torch

from sid.errors import UserError
from sid.fetch.catalogue import find

# NVIDIA's TorchScript translation of the TensorFlow graph, with TensorFlow's resizing in it.
PROGRAM = "inception-2015-12-05.pt"
# The same weights as a state dict, for torch-fidelity and for clean-fid's mode legacy_pytorch.
STATE = "weights-inception-2015-12-05-6726825d.pth"


def is_program(sha256: str) -> bool:
    """Whether this is the checksum of the published program, as the table of files has it."""
    return sha256 == find(PROGRAM).sha256


def copy_state(path: Path, copy: Path) -> None:
    """Write a state dict anew, for a library that would unpickle whatever is in a file.

    Raises:
        UserError: it holds anything but tensors, or is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # What it remarks on, it refuses.
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # What is raised depends on what is wrong.
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: no state dict ({reason}); run `sid fetch {STATE}`") from error
    copy.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, copy)
