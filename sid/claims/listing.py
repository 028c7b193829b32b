"""Claims as rows: everything that is known of each before it is judged."""

import fnmatch
from collections.abc import Callable, Sequence

from sid.errors import UserError
from sid.fetch.catalogue import catalogue
from sid.verdict.claim import Claim, Claims
from sid.verdict.judged import command_of
from sid.verdict.published import GRADES

NEW = "in the commit after this one"  # A criterion cannot name the commit that it comes with.


def select(
    claims: Claims, pattern: str, *, dataset: str = "", kind: str = "", subject: str = ""
) -> list[Claim]:
    """The claims that fit.

    Args:
        claims: all of them.
        pattern: a name, a part of names, or a pattern with `*`.
        dataset: as of the subjects; empty for all.
        kind: of claims; empty for all.
        subject: empty for all.

    Raises:
        UserError: a data set, kind or subject has no claims, or nothing fits them all.
    """
    found = list(claims.claims.values())
    asked: tuple[tuple[str, str, Callable[[Claim], str]], ...] = (
        ("--dataset", dataset, lambda claim: claim.about.dataset),
        ("--kind", kind, lambda claim: claim.kind),
        ("--subject", subject, lambda claim: claim.subject),
    )
    for option, wanted, of in asked:
        known = dict.fromkeys(of(claim) for claim in claims.claims.values())
        if wanted and wanted not in known:
            raise UserError(f"{option} {wanted}: has no claims; known are {', '.join(known)}")
        found = [claim for claim in found if wanted in ("", of(claim))]
    exact = [claim for claim in found if claim.name == pattern]
    glob = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    found = exact or [claim for claim in found if fnmatch.fnmatchcase(claim.name, glob)]
    if not found:
        raise UserError(f"{pattern or 'these options'}: no claim fits; `sid claims` lists all")
    return found


def row(claim: Claim) -> dict[str, str | float | bool]:
    """Everything about one claim, by short names."""
    number, protocol, criterion, about = (
        claim.number,
        claim.protocol,
        claim.criterion,
        claim.about,
    )
    file = catalogue().get(about.weights)
    return {
        "claim": claim.name,
        "kind": claim.kind,
        "statement": claim.statement,
        "subject": claim.subject,
        "title": about.title,
        "method": about.method,
        "against": claim.against,
        "dataset": about.dataset,
        "source": claim.source,
        "evidence": claim.evidence,
        "may_decide": GRADES[claim.evidence],
        "published": number.text if number else "",
        "published_of": protocol.of if number else "",
        "published_std": number.std if number else "",
        "quoted": "; ".join(number.quoted) if number else "",
        "note": number.note if number else "",
        "metric": protocol.metric,
        "implementation": protocol.implementation,
        "extractor": protocol.extractor,
        "n_images": protocol.n_images,
        "draws": protocol.draws,
        "reference": protocol.reference,
        "labels": protocol.labels,
        "selection": protocol.selection,
        "criterion": criterion.text,
        "bound": criterion.bound,
        "level": criterion.level,
        "constants": "; ".join(f"{key} {value}" for key, value in criterion.constants.items()),
        "fixed": criterion.fixed or NEW,
        "changed": criterion.changed,
        "weights": about.weights,
        "weights_url": file.url if file else "",
        "kimg": about.kimg,
        "start": about.start,
        "nfe": about.nfe,
        "command": command_of(claim),
    }


def listed(claims: Sequence[Claim]) -> list[list[str]]:
    """A line each, under its columns; `-` is what a claim does not have."""
    rows = [
        [
            claim.name,
            claim.kind,
            claim.number.text if claim.number else "-",
            claim.evidence,
            claim.against or "-",
        ]
        for claim in claims
    ]
    return [["claim", "kind", "published", "evidence", "against"], *rows]
