"""The published protocols of one checkpoint, as few passes over the same images as they allow."""

from collections.abc import Sequence
from typing import NamedTuple

from sid.errors import UserError
from sid.evaluate.implementations import usual
from sid.evaluate.metrics import METRICS
from sid.verdict.claim import Claim
from sid.verdict.entries import Protocol


class Pass(NamedTuple):
    """What is measured against one reference.

    Attributes:
        reference: file of `files.csv`: moments, or images where a metric needs them.
        extractor: name.
        n_images: of each draw.
        draws: K.
        labels: the publisher's rule of classes, as in the protocol.
        metrics: names.
        deciding: implementations whose values decide.
    """

    reference: str
    extractor: str
    n_images: int
    draws: int
    labels: str
    metrics: tuple[str, ...]
    deciding: tuple[str, ...]

    @property
    def needs_images(self) -> bool:
        """Whether moments of the reference do not suffice."""
        return any(METRICS[name].needs_images for name in self.metrics if name in METRICS)

    def implementations(self, *, data: bool) -> list[str]:
        """Those that are asked: the deciding one and ours, and with the data the libraries too."""
        names = [*self.deciding, *(usual(self.extractor) if data else ["ours"])]
        return list(dict.fromkeys(names))


def passes_of(claims: Sequence[Claim]) -> list[Pass]:
    """The passes of one subject's checkpoint claims; those that share their images come as one.

    A protocol without a reference, as of the inception score, goes with the moments of the data
    set.

    Args:
        claims: all checkpoint claims of the subject, so that its records do not depend on which of
            them was asked for.

    Raises:
        UserError: a protocol leaves open what must be known to draw.
    """
    found: dict[tuple[object, ...], Pass] = {}
    for claim in claims:
        protocol = claim.protocol
        _check(claim, protocol)
        reference = protocol.reference or f"{claim.about.dataset}.npz"
        images = METRICS[protocol.metric].needs_images
        key = (reference, images, protocol.extractor, protocol.n_images, protocol.labels)
        before = found.get(key)
        found[key] = Pass(
            reference,
            protocol.extractor,
            protocol.n_images,
            max(protocol.draws, before.draws if before else 0),
            protocol.labels,
            _with(before.metrics if before else (), protocol.metric),
            _with(before.deciding if before else (), protocol.implementation),
        )
    return list(found.values())


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, name)))


def _check(claim: Claim, protocol: Protocol) -> None:
    where = f"{claim.name}: its protocol in claims.yaml"
    if protocol.metric not in METRICS:
        raise UserError(
            f"{where}: metric {protocol.metric} is unknown; known are {', '.join(METRICS)}"
        )
    for key in ("extractor", "n_images"):
        if not getattr(protocol, key):
            raise UserError(
                f"{where}: names no {key}, which a published checkpoint is measured with"
            )
