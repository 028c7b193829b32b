"""The 2015 Inception's two published files, and how they are told from others."""

import os
from pathlib import Path

from sid.errors import UserError
from sid.files import read_json, sha256

# NVIDIA's TorchScript translation of the TensorFlow graph, with TensorFlow's resizing in it.
PROGRAM = "inception-2015-12-05.pt"
# The same weights as a state dict, for pytorch-fid, torch-fidelity and clean-fid's PyTorch mode.
STATE = "pt_inception-2015-12-05-6726825d.pth"
# Quoted in public code. A lock made by `sid fetch` counts as well.
PROGRAM_SHA256 = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"


def _cache() -> Path:
    return Path(os.environ.get("SID_CACHE") or Path.home() / ".cache" / "sid")


def locked(name: str) -> str | None:
    """The SHA-256 that was recorded when `name` was fetched, if it was."""
    lock = _cache() / "lock.json"
    return read_json(lock).get(name) if lock.exists() else None


def locate(name: str) -> Path:
    """A fetched file, after comparing it with the lock.

    Raises:
        UserError: it was not fetched, or was changed since.
    """
    path = _cache() / "files" / name
    if not path.exists():
        raise UserError(f"{path}: not fetched yet; get it with `sid fetch {name}`")
    wanted = locked(name)
    if wanted and sha256(path) != wanted:
        raise UserError(f"{path}: changed since it was fetched; delete it and `sid fetch {name}`")
    return path
