"""What many of these tests make: a small network, a record."""

from typing import Any

import torch

from sid.evaluate.records import Record
from sid.networks import Architecture, EDMPrecond

ABOUT = {
    **dict.fromkeys(("dataset", "extractor", "extractor_sha256", "reference_sha256"), "x"),
    **dict.fromkeys(("implementation_version", "device", "torch", "git"), "x"),
    **dict.fromkeys(("n_images", "n_reference", "draw", "seed", "seconds"), 1),
    "role": "sample",
    "implementation": "ours",
    "metric": "frechet_distance",
}


def record(**about: object) -> Record:
    """A record, of which the given fields matter."""
    return Record.model_validate({**ABOUT, **about})


def network(seed: int = 0, **changes: Any) -> EDMPrecond:
    """A fresh network for grey images of 8 x 8."""
    small = {"model_channels": 8, "channel_mult": (1,), "num_blocks": 1, "attn_resolutions": ()}
    torch.manual_seed(seed)
    return Architecture(**{"img_resolution": 8, "img_channels": 1, **small, **changes}).build()
