"""Extractors: networks that images are seen by. A distance is named after its extractor."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from sid.errors import UserError
from sid.evaluate.extractors import dinov2, inception
from sid.evaluate.extractors.classifier import DataExtractor, load_classifier, train_extractor
from sid.evaluate.extractors.extractor import CPU, Extractor
from sid.plugins import plugins

__all__ = ["EXTRACTORS", "DataExtractor", "Extractor", "load_extractor", "train_extractor"]


def _efficientnet() -> Extractor:
    from sid.evaluate.extractors.efficientnet import load_efficientnet  # Slow to import.

    return load_efficientnet()


# By name, what loads one; packages bring others by entry points of this group.
EXTRACTORS: dict[str, Callable[[], Extractor]] = {
    "efficientnet-lite0": _efficientnet,
    inception.NAME: inception.load_inception,
    **{name: partial(dinov2.load_dinov2, name) for name in dinov2.NAMES},
    **plugins("sid.extractors"),
}


def load_extractor(source: str | Path, device: torch.device = CPU) -> Extractor:
    """An extractor by name, or from a file.

    Args:
        source: one of `EXTRACTORS`; a `.safetensors` file made by `sid evaluate extractor`; a `.pt`
            file, which is a TorchScript program with the 2015 Inception's interface. Such a
            program runs with the rights of who names it.
        device: where to put it.

    Raises:
        UserError: no such name or file, or the file holds no extractor.
    """
    name, path = str(source), Path(source)
    if name in EXTRACTORS:
        return EXTRACTORS[name]().to(device)
    if path.suffix == ".pt":
        return inception.load_inception(path).to(device)
    if path.suffix == ".safetensors" or path.exists():
        return load_classifier(path).to(device)
    known = ", ".join(EXTRACTORS)
    raise UserError(f"{name}: no such extractor; known are {known}, .safetensors, .pt")
