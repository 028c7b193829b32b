"""Extractors: networks that images are seen by. A distance is named after its extractor."""

from pathlib import Path

import torch

from sid.errors import UserError
from sid.evaluate.extractors import dinov2, inception
from sid.evaluate.extractors.classifier import DataExtractor, load_classifier, train_extractor
from sid.evaluate.extractors.extractor import CPU, Extractor

__all__ = ["NAMES", "DataExtractor", "Extractor", "load_extractor", "train_extractor"]

LITE = "efficientnet-lite0"
NAMES = (LITE, inception.NAME, *dinov2.NAMES)


def load_extractor(source: str | Path, device: torch.device = CPU) -> Extractor:
    """An extractor by name, or from a file.

    Args:
        source: one of `NAMES`; a `.safetensors` file made by `sid evaluate extractor`; a `.pt`
            file, which is a TorchScript program with the 2015 Inception's interface. Such a
            program runs with the rights of who names it.
        device: where to put it.

    Raises:
        UserError: no such name or file, or the file holds no extractor.
    """
    name, path = str(source), Path(source)
    if name == LITE:
        from sid.evaluate.extractors.efficientnet import load_efficientnet  # Slow to import.

        return load_efficientnet().to(device)
    if name == inception.NAME:
        return inception.load_inception().to(device)
    if name in dinov2.NAMES:
        return dinov2.load_dinov2(name).to(device)
    if path.suffix == ".pt":
        return inception.load_inception(path).to(device)
    if path.suffix == ".safetensors" or path.exists():
        return load_classifier(path).to(device)
    raise UserError(f"{name}: no such extractor; known are {', '.join(NAMES)}, .safetensors, .pt")
