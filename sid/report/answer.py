"""What the first screen says in words: what was claimed, what was found, how sure that is."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sid.report.evidence import figure, interval, sentence, share
from sid.verdict.claim import TEACHER, Claims
from sid.verdict.order import partial_order
from sid.verdict.verdict import BROKEN, KEPT

NOT_YET = "not yet"  # The outcome of a claim about runs that are on the way.
# How an outcome is said of one claim, in reading order.
VERBS = {
    "reproduces": "reproduces",
    "reached": "is reached",
    "holds": "holds",
    "differs": "differs",
    "not reached": "is not reached",
    "does not hold": "does not hold",
    "inconclusive": "is inconclusive",
    "undecided": "is undecided",
    NOT_YET: "is not yet decided",
    "not run": "is not run",
}
# What claims of a kind say; the numbers come before.
KINDS = {
    "checkpoint": "that a checkpoint reads its published number",
    "retraining": "that training again reaches a published number",
    "ranking": "that one distance is below a bound times another",
    "fall": "how far a distance falls in training",
    "power-law": "that it falls as a power of the images seen",
    "faster": "that one method needs fewer images",
}
# Why a claim is open.
OPEN = {
    "inconclusive": "evidence of the right kind, too little of it",
    "undecided": "evidence of a kind that cannot decide",
    NOT_YET: "undecided while its runs are on the way",
    "not run": "no evidence",
}
SURE = 0.05  # Level of the tests, after Holm.
SHOWN = 3  # Claims at most whose intervals the first screen has.
# What a verdict is about that knows no second run.
LONE = {"this checkpoint": "trained generator", "this run": "training run"}
Row = dict[Any, Any]


class Answer(NamedTuple):
    """The first screen.

    Attributes:
        claimed, found, sure: sentences.
        outcomes: how many claims have each outcome, in reading order.
    """

    claimed: list[str]
    found: list[str]
    sure: list[str]
    outcomes: dict[str, int]


def listed(words: Sequence[str], most: int = 4) -> str:
    """Words as a list in a sentence; of many the first ones, and how many more."""
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def subjects(verdicts: pd.DataFrame, claims: Claims) -> list[str]:
    """What the verdicts are about: the title of one, the methods of several.

    What has no entry among the claims' subjects has its name in the records; a file at hand is
    named with what it is held against.
    """
    names = [str(name) for name in dict.fromkeys(verdicts["subject"]) if name]
    files = {
        one.subject: f"{Path(one.given).name}, held against {one.about.title}"
        for one in claims.claims.values()
        if one.given
    }
    known = {name: claims.subjects[name] for name in names if name in claims.subjects}
    if len(names) == 1:
        titles = {name: about.title for name, about in known.items()}
    else:
        titles = {name: about.method or about.title for name, about in known.items()}
    return list(dict.fromkeys({**titles, **files}.get(name, name) for name in names))


def answer(verdicts: pd.DataFrame, claims: Claims) -> Answer:
    """The first screen.

    Args:
        verdicts: rows with the fields of `sid.verdict.verdict.Verdict`.
        claims: for the names of what they are about.
    """
    rows = verdicts.to_dict("records")
    if not rows:
        nothing = "No claim was judged: there are no verdicts beside these records."
        return Answer([nothing], ["What was measured is below."], ["Nothing follows from it."], {})
    many = Counter(str(row["verdict"]) for row in rows)
    outcomes = {name: many[name] for name in VERBS if many[name]}
    found = [*_found(rows), *_ranked(verdicts, claims)]
    sure = [*_measured(rows, claims), *_sure(rows)]
    return Answer(_claimed(rows, subjects(verdicts, claims)), found, sure, outcomes)


def _ranked(verdicts: pd.DataFrame, claims: Claims) -> list[str]:
    """The order that the rankings make, where any decided."""
    titles = {TEACHER: "the teacher"}
    titles |= {name: subject.title for name, subject in claims.subjects.items()}
    better: dict[str, list[str]] = {}
    for one, other in partial_order(verdicts.itertuples()):  # type: ignore[arg-type]
        better.setdefault(titles.get(one, one), []).append(titles.get(other, other))
    parts = [f"{one} before {listed(others)}" for one, others in better.items()]
    return [f"Order that is sure: {'; '.join(parts)}."] if parts else []


def _claimed(rows: list[Row], about: list[str]) -> list[str]:
    if len(rows) == 1:
        said = [sentence(rows[0]["statement"])]
    else:
        many = Counter(str(row["kind"]) for row in rows)
        said = [f"{len(rows)} claims about {listed(about or ['these records'])}."]
        parts = [f"{many[kind]} {text}" for kind, text in KINDS.items() if many[kind]]
        said += [sentence(", ".join(parts))] if parts else []
    if not any(row["published_text"] for row in rows):
        said.append("No published number is among them: both sides of each are of these records.")
    return said


def _found(rows: list[Row]) -> list[str]:
    if len(rows) == 1:
        return [f"It {VERBS[rows[0]['verdict']]}.", _figures(rows[0])]
    kept, broken = (
        [str(row["statement"]).rstrip(".") for row in rows if row["verdict"] in outcomes]
        for outcomes in (KEPT, BROKEN)
    )
    rest = len(rows) - len(kept) - len(broken)
    fared = ((len(kept), "kept"), (len(broken), "broken"), (rest, "open"))
    parts = [f"{n} {'is' if n == 1 else 'are'} {how}" for n, how in fared]
    said = [f"Of {len(rows)} claims {listed(parts)}."]
    waiting = sum(row["verdict"] == NOT_YET for row in rows)
    if waiting == len(rows):
        said = [f"Not yet, undecided: all {waiting} claims are about runs that are on the way."]
    elif waiting:
        about = "1 claim is" if waiting == 1 else f"{waiting} claims are"
        said.append(f"Not yet, undecided: {about} about runs that are on the way.")
    for name, those in (("Kept", kept), ("Broken", broken)):
        said += [f"{name}: {'; '.join(those)}."] if 0 < len(those) <= 2 else []
    return said


def _figures(row: Row) -> str:
    """What was found beside what was published; without both, the verdict's reason."""
    if not (row["published_text"] and math.isfinite(row["reproduced"])):
        return sentence(row["reason"])
    difference = figure(row, row["value"])
    return f"{row['reproduced']:.4g}, where {row['published_text']} is published: {difference}."


def _measured(rows: list[Row], claims: Claims) -> list[str]:
    """The interval of a page's only claim, or of each where all are about checkpoints, and few."""
    checkpoints = all(row["kind"] == "checkpoint" for row in rows) and len(rows) <= SHOWN
    shown = [row for row in rows if interval(row)] if checkpoints or len(rows) == 1 else []
    return [
        ("" if len(rows) == 1 else f"{str(row['statement']).rstrip('.')}: ")
        + f"{share(row['level'])} interval{':' if len(rows) == 1 else ''} {interval(row)}"
        + f"{_margin(row, claims)}{_draws(row)}."
        for row in shown
    ]


def _margin(row: Row, claims: Claims) -> str:
    """Where an interval lies beside the margin, which is one number for a checkpoint alone."""
    if row["kind"] != "checkpoint" or row["claim"] not in claims.claims:
        return ""
    bound = claims.claims[row["claim"]].criterion.bound
    where = {"reproduces": "within", "differs": "beyond"}.get(row["verdict"], "margin")
    return f", {where} \N{PLUS-MINUS SIGN}{share(bound)}"


def _draws(row: Row) -> str:
    """Of how many images, how often drawn; empty where it is not known."""
    if not (row["draws"] and row["n_images"]):
        return ""
    runs = f"{row['runs']} runs of " if row["runs"] > 1 else ""
    plural = "draw" if row["draws"] == 1 else "draws"
    return f"; {runs}{row['draws']} {plural} of {row['n_images']:,} images"


def _sure(rows: list[Row]) -> list[str]:
    """What the verdicts rest on, and what they cannot say."""
    decided = [row for row in rows if row["verdict"] in (*KEPT, *BROKEN)]
    trained = [row["runs"] for row in decided if row["runs"] > 1]
    said = []
    if trained:
        runs = str(min(trained)) if len(set(trained)) == 1 else f"{min(trained)} to {max(trained)}"
        said.append(f"{_verdicts(len(trained))} on {runs} training runs of each recipe.")
    if any(row["against"] == TEACHER for row in decided):
        said.append("Against a teacher they are given this one teacher.")
    lone = [row for row in decided if row["runs"] <= 1]
    for scope, what in LONE.items():
        n = sum(str(row["scope"]).startswith(scope) for row in lone)
        if n == 1:
            said.append(f"1 verdict is about one {what} and says nothing of training again.")
        elif n:
            said.append(
                f"{n} verdicts are about one {what} each and say nothing of training again."
            )
    said += _together(rows)
    loose = sum(row["evidence"] == "unverified" and row["published_text"] != "" for row in rows)
    if loose:
        said.append(
            f"{loose} published {'number is' if loose == 1 else 'numbers are'} unverified, and "
            f"{'decides' if loose == 1 else 'decide'} nothing."
        )
    many = Counter(str(row["verdict"]) for row in rows)
    parts = [f"{many[name]} {name} ({why})" for name, why in OPEN.items() if many[name]]
    return [*said, f"Open: {listed(parts)}."] if parts else said


def _together(rows: list[Row]) -> list[str]:
    """Whether what is broken stays so, where a page has many tests."""
    broken = [row for row in rows if row["verdict"] in BROKEN and math.isfinite(row["p_holm"])]
    tests = sum(math.isfinite(row[p]) for row in rows for p in ("p_value", "p_kept"))
    if not broken or tests < 2:
        return []
    stay, level = sum(row["p_holm"] < SURE for row in broken), f"{100 * SURE:g} %"
    if len(broken) == 1:
        how = "The broken claim stays broken" if stay else "The broken claim is open again"
    else:
        how = f"{stay} of the {len(broken)} broken claims {'stays' if stay == 1 else 'stay'} broken"
    return [
        f"Of {tests} tests on one page some may fail by chance. {how} at {level} when that is "
        "allowed for (Holm's correction)."
    ]


def _verdicts(n: int) -> str:
    return "1 verdict rests" if n == 1 else f"{n} verdicts rest"
