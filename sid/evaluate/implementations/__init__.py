"""Implementations: ways to compute metrics from images. All see the same images."""

from collections.abc import Callable

from sid.errors import UserError
from sid.evaluate.implementations.implementation import Implementation
from sid.plugins import plugins

__all__ = ["IMPLEMENTATIONS", "Implementation", "implementations_of", "usual"]


# The libraries take seconds to import: whoever does not ask for one does not wait for it.
def _ours() -> Implementation:
    from sid.evaluate.implementations.ours import Ours

    return Ours()


def _fidelity() -> Implementation:
    from sid.evaluate.implementations.fidelity import Fidelity

    return Fidelity()


def _clean(mode: str | None) -> Callable[[], Implementation]:
    def make() -> Implementation:
        from sid.evaluate.implementations.clean import Clean

        return Clean(mode)

    return make


def _nvidia(name: str, ddof: int) -> Callable[[], Implementation]:
    def make() -> Implementation:
        from sid.evaluate.implementations.nvidia import Nvidia

        return Nvidia(name, ddof)

    return make


# By name, what makes one; packages bring others by entry points of this group.
IMPLEMENTATIONS: dict[str, Callable[[], Implementation]] = {
    "ours": _ours,
    "torch-fidelity": _fidelity,
    "clean-fid": _clean(None),
    "clean-fid-clean": _clean("clean"),
    "clean-fid-legacy_pytorch": _clean("legacy_pytorch"),
    "clean-fid-legacy_tensorflow": _clean("legacy_tensorflow"),
    "nvidia": _nvidia("nvidia", 1),
    "nvidia-n": _nvidia("nvidia-n", 0),
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
