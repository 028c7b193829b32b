"""Implementations: ways to compute metrics from images. All see the same images."""

from collections.abc import Callable
from functools import partial
from importlib import import_module

from sid.errors import UserError
from sid.evaluate.implementations.implementation import Implementation
from sid.plugins import plugins

__all__ = ["IMPLEMENTATIONS", "Implementation", "implementations_of", "usual"]


def _make(module: str, name: str, *given: object) -> Implementation:
    """The libraries take seconds to import: whoever does not ask for one does not wait for it."""
    made: Implementation = getattr(import_module(f"{__name__}.{module}"), name)(*given)
    return made


# By name, what makes one; packages bring others by entry points of this group.
IMPLEMENTATIONS: dict[str, Callable[[], Implementation]] = {
    "ours": partial(_make, "ours", "Ours"),
    "torch-fidelity": partial(_make, "fidelity", "Fidelity"),
    "clean-fid": partial(_make, "clean", "Clean"),
    "clean-fid-clean": partial(_make, "clean", "Clean", "clean"),
    "clean-fid-legacy_pytorch": partial(_make, "clean", "Clean", "legacy_pytorch"),
    "clean-fid-legacy_tensorflow": partial(_make, "clean", "Clean", "legacy_tensorflow"),
    "nvidia": partial(_make, "nvidia", "Nvidia", "nvidia", 1),
    "nvidia-n": partial(_make, "nvidia", "Nvidia", "nvidia-n", 0),
    **plugins("sid.implementations"),
}


def usual(extractor: str) -> list[str]:
    """The implementations that are asked where nobody says which.

    Args:
        extractor: its name; of the 2015 Inception the libraries have an own copy, and sizes.
    """
    if extractor == "inception-2015":
        return ["ours", "torch-fidelity", "clean-fid-clean", "nvidia"]
    return ["ours", "torch-fidelity", "clean-fid"]


def implementations_of(text: str | None, extractor: str) -> list[Implementation]:
    """The implementations of a comma-separated list, or those usual for an extractor.

    Raises:
        UserError: one is unknown.
    """
    words = filter(None, (part.strip() for part in (text or "").split(",")))
    names = list(dict.fromkeys(words)) or usual(extractor)
    for name in names:
        if name not in IMPLEMENTATIONS:
            known = ", ".join(IMPLEMENTATIONS)
            raise UserError(f"--implementations: {name} is unknown; known are {known}")
    return [IMPLEMENTATIONS[name]() for name in names]
