"""Implementations: ways to compute metrics from images. All see the same images."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

from sid.errors import UserError
from sid.evaluate.implementations.implementation import Implementation
from sid.plugins import plugins

__all__ = [
    "IMPLEMENTATIONS",
    "Implementation",
    "curve_of",
    "implementations_of",
    "names_of",
    "usual",
]


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


def listed(text: str | None) -> list[str]:
    """The names of a comma-separated list, each once."""
    return list(dict.fromkeys(filter(None, (part.strip() for part in (text or "").split(",")))))


def names_of(text: str | None, extractor: str) -> list[str]:
    """The names of a comma-separated list, or of those usual for an extractor.

    Raises:
        UserError: one is unknown.
    """
    names = listed(text) or usual(extractor)
    for name in names:
        if name not in IMPLEMENTATIONS:
            known = ", ".join(IMPLEMENTATIONS)
            raise UserError(f"--implementations: {name} is unknown; known are {known}")
    return names


def curve_of(text: str | None, names: Sequence[str], where: str = "--curve") -> list[str]:
    """The names of those that measure each snapshot of a curve.

    Args:
        text: a comma-separated list; the first of `names` where it is empty.
        names: of the implementations that measure the final draws.
        where: the text is from, for the error.

    Raises:
        UserError: one is not among `names`: final values would not continue its curve.
    """
    chosen = listed(text) or list(names[:1])
    for name in chosen:
        if name not in names:
            raise UserError(
                f"{where}: {name} is not among the implementations {', '.join(names)}; "
                "add it to them, or take one of them"
            )
    return chosen


def implementations_of(text: str | None, extractor: str) -> list[Implementation]:
    """The implementations of `names_of`."""
    return [IMPLEMENTATIONS[name]() for name in names_of(text, extractor)]
