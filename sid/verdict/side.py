"""Rows of a generator, a teacher or a recipe, measured as a claim asks, or why there are none.

Rows of another metric, implementation, extractor, number of images, data set or reference are never
mixed. What the records have in place of what the claim asks for is named.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from sid.verdict.claim import Claim
from sid.verdict.entries import Protocol

PROVENANCE = ("extractor_sha256", "reference_sha256", "git")
MEASURED = ("metric", "implementation", "extractor")
SAME_LAW = "the data set's frequencies"  # As `sid.evaluate` words uniform classes that are both.
SAME = "the classes are equally frequent, so that both rules of drawing them are one law"


class Row(NamedTuple):
    """What claims look at in a record (`sid.evaluate.records.Record`)."""

    role: str
    dataset: str
    recipe: str
    run_seed: int
    kimg: float
    selection: str
    nfe: int
    metric: str
    implementation: str
    extractor: str
    n_images: int
    value: float
    draw: int
    labels: str
    extractor_sha256: str
    reference_sha256: str
    generated_sha256: str
    weights_sha256: str
    git: str


class LackingError(Exception):
    """Why the records decide nothing of a claim.

    Args:
        reason: a sentence.
        outcome: `not run` without evidence, `undecided` with evidence of a kind that cannot decide.
        changes: what would change that.
    """

    def __init__(
        self,
        reason: str,
        outcome: Literal["not run", "undecided"] = "undecided",
        changes: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason, self.outcome, self.changes = reason, outcome, changes


class Side(NamedTuple):
    """The values of one generator, teacher or recipe, all measured in one way.

    Attributes:
        who: what they are of.
        values: by training seed and draw, or of curves by seed and thousands of images.
        about: one of the rows.
        kimg: images of training, in thousands, of each seed's rows; 0 where not known.
        notes: what is to be known of them.
        flaw: why they decide nothing, empty if they may.
    """

    who: str
    values: dict[int, dict[float, float]]
    about: Row
    kimg: dict[int, float]
    notes: tuple[str, ...]
    flaw: str


def side_of(
    who: str, rows: Sequence[Row], claim: Claim, by: Literal["draw", "kimg"] = "draw"
) -> Side:
    """The values of rows that are measured as the claim asks.

    Args:
        who: what they are of, for the reasons.
        rows: of one generator, teacher or recipe.
        claim: whose data set and protocol count.
        by: what tells the values of one seed apart.

    Raises:
        LackingError: none is, or they contradict each other.
    """
    protocol = claim.protocol
    if not rows:
        raise LackingError(
            f"the records have no {'fresh draws of ' if by == 'draw' else ''}{who}",
            "not run",
            "the records that the command makes",
        )
    dataset = claim.dataset
    elsewhere = sorted({row.dataset for row in rows if row.dataset != dataset})
    rows = [row for row in rows if row.dataset == dataset]
    if not rows:
        raise LackingError(
            f"{who}: wanted on {dataset}, found on {', '.join(elsewhere)}", "not run"
        )
    rows, notes = _proven(who, _measured(who, rows, protocol), _needed(rows, claim))
    rows, flaw = _counted(who, rows, protocol)
    rows, told = _labelled(who, rows, protocol)
    for column, what in (
        ("extractor", "extractors"),
        ("extractor_sha256", "weights of the extractor"),
        ("reference_sha256", "references"),
        *((("weights_sha256", "weights files under this name"),) if _external(rows) else ()),
    ):
        found = sorted({getattr(row, column) for row in rows})
        if len(found) > 1:
            names = ", ".join(str(one)[:12] for one in found)
            raise LackingError(
                f"{who}: two {what} are mixed ({names})", changes="records of one alone"
            )
    return Side(who, _values(who, rows, by), rows[0], _kimg(rows), (*notes, *told), flaw)


def _external(rows: Sequence[Row]) -> bool:
    return rows[0].role == "external"


def _measured(who: str, rows: list[Row], protocol: Protocol) -> list[Row]:
    """The rows of the protocol's metric, implementation and extractor."""
    kept = [row for row in rows if row.metric == protocol.metric]
    if not kept:
        found = ", ".join(sorted({row.metric for row in rows}))
        raise LackingError(f"{who}: wanted {protocol.metric}, found {found}", "not run")
    wanted = [getattr(protocol, name) for name in MEASURED]
    fits = [
        row
        for row in kept
        if row.implementation == protocol.implementation
        and protocol.extractor in ("", row.extractor)
    ]
    if not fits:
        others = sorted({f"{row.metric} by {row.implementation}, {row.extractor}" for row in kept})
        raise LackingError(
            f"{who}: wanted {wanted[0]} by {wanted[1]}{wanted[2] and ', ' + wanted[2]}; found "
            f"{'; '.join(others)}, which is another number",
            changes="the same images measured as the claim asks",
        )
    return fits


def _needed(rows: Sequence[Row], claim: Claim) -> tuple[str, ...]:
    """The columns without which a record counts for nothing.

    A run is told by its recipe, seed and commit. Of a generator from elsewhere there is only what
    was measured: its images, and where a published file is judged that file.
    """
    if not _external(rows):
        return PROVENANCE
    weights = ("weights_sha256",) if claim.kind == "checkpoint" else ()
    return (*PROVENANCE, "generated_sha256", *weights)


def _proven(who: str, rows: list[Row], needed: tuple[str, ...]) -> tuple[list[Row], list[str]]:
    """The rows with provenance, and what is missing of the others."""
    bare: dict[str, list[int]] = defaultdict(list)
    kept = []
    for row in rows:
        lacks = next((name for name in needed if not getattr(row, name)), "")
        if lacks:
            bare[lacks].append(row.draw)
        else:
            kept.append(row)
    notes = [
        f"{len(draws)} records of {who} have no {name} and count for nothing (draw "
        f"{', '.join(map(str, sorted(set(draws))))})"
        for name, draws in bare.items()
    ]
    if not kept:
        raise LackingError("; ".join(notes), changes="records that say what they were made of")
    return kept, notes


def _counted(who: str, rows: list[Row], protocol: Protocol) -> tuple[list[Row], str]:
    """The rows of the protocol's number of images, and a flaw where there is another only."""
    counts = sorted({row.n_images for row in rows})
    wanted = protocol.n_images
    if wanted in counts:
        return [row for row in rows if row.n_images == wanted], ""
    if len(counts) > 1:
        found = ", ".join(f"{count:,}" for count in counts)
        asked = f"wanted {wanted:,} images, " if wanted else ""
        raise LackingError(
            f"{who}: {asked}found draws of {found}, which do not compare",
            changes="draws of one number of images",
        )
    if not wanted:
        return rows, ""
    return rows, f"{who}: draws of {counts[0]:,} images where {wanted:,} are wanted decide nothing"


def _rule(labels: str) -> str:
    """By which rule classes were drawn: `data set`, `uniform`, both at once or none."""
    if labels.startswith("uniform"):
        return "both" if SAME_LAW in labels else "uniform"
    return "data set" if labels.startswith("data set") else ""


def _labelled(who: str, rows: list[Row], protocol: Protocol) -> tuple[list[Row], list[str]]:
    """The rows whose classes were drawn by the protocol's rule, and a word on others."""
    wanted, rules = protocol.labels, sorted({_rule(row.labels) for row in rows})
    if not wanted:
        if len(rules) > 1:
            raise LackingError(f"{who}: classes drawn by two rules are mixed ({', '.join(rules)})")
        return rows, []
    for rule in (wanted, "both", ""):
        if rule in rules:
            kept = [row for row in rows if _rule(row.labels) == rule]
            notes = [SAME] if rule == "both" else []
            if len(rules) > 1:
                other = next(each for each in rules if each != rule) or "not known"
                count = len(rows) - len(kept)
                notes.append(f"{count} draws by another rule of classes ({other}) left out")
            return kept, notes
    raise LackingError(
        f"{who}: classes are drawn by the rule {rules[0]}, the published value's by {wanted}",
        changes=f"draws of classes by the rule {wanted}",
    )


def _values(
    who: str, rows: Sequence[Row], by: Literal["draw", "kimg"]
) -> dict[int, dict[float, float]]:
    """The value of each seed and draw, or of each seed and number of images.

    Raises:
        LackingError: two differ, one has no logarithm, or two seeds are one generator.
    """
    values: dict[int, dict[float, float]] = defaultdict(dict)
    made: dict[str, int] = {}
    for row in rows:
        at = row.draw if by == "draw" else row.kimg
        where = f"seed {row.run_seed}, {by} {at:g}"
        if not (math.isfinite(row.value) and row.value > 0):
            raise LackingError(
                f"{who}: {where} reads {row.value}", changes="a run that did not diverge"
            )
        known = values[row.run_seed].setdefault(at, row.value)
        if known != row.value:
            raise LackingError(
                f"{who}: two records of {where} differ, {known:.6g} and {row.value:.6g}",
                changes="the records without the wrong one",
            )
        seed = made.setdefault(row.generated_sha256 or where, row.run_seed)
        if seed != row.run_seed and by == "draw":  # Undistilled, all runs are one generator.
            raise LackingError(
                f"{who}: seeds {seed} and {row.run_seed} are one generator, by its checksum",
                changes="runs that were trained apart",
            )
    return dict(values)


def _kimg(rows: Sequence[Row]) -> dict[int, float]:
    return {row.run_seed: float(row.kimg) for row in rows}
