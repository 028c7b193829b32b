"""Run folders with tiny untrained networks, as training leaves them."""

from pathlib import Path

import torch

from sid.networks import Architecture, save_network

TINY = Architecture(
    img_resolution=8,
    img_channels=1,
    model_channels=8,
    channel_mult=(1,),
    num_blocks=1,
    attn_resolutions=(),
)
IMAGES = [0, 1000, 4000]


def make_runs(folder: Path, recipes: tuple[str, ...] = ("sid", "sid2a")) -> tuple[Path, Path]:
    """Write snapshots; returns the folder of runs and the teacher's snapshot."""
    torch.manual_seed(0)
    for recipe in recipes:
        for images in IMAGES:
            path = (
                folder / "distill" / recipe / "seed0" / "snapshots" / f"{images:012d}.safetensors"
            )
            save_network(path, TINY.build(), {"sigma_init": 2.5})
    teacher = folder / "teacher.safetensors"
    save_network(teacher, TINY.build(), {"kind": "denoiser"})
    return folder / "distill", teacher
