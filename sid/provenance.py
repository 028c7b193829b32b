"""What made a result: versions, commit, device. Recorded with every run and every record."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

import sid

PACKAGES = ("torch", "numpy", "scipy", "torch-fidelity", "clean-fid", "scikit-learn")


@functools.cache
def git_commit() -> str:
    """The commit of the checkout that holds this code, with `-dirty` if changed, or `unknown`."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        root = Path(__file__).resolve().parent
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def cpu_name() -> str:
    """The processor's model name where Linux tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe(device: torch.device) -> dict[str, object]:
    """Versions, commit, system and device of this process, as a flat JSON-able dictionary."""
    cuda = device.type == "cuda"
    return {
        "sid": sid.__version__,
        "git": git_commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name(device) if cuda else cpu_name(),
        "gpu": cuda,
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        **{name: metadata.version(name) for name in PACKAGES},
    }
