"""Runs that are on the way: a row each, what they add up to, and which claims wait for them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from sid.report.answer import NOT_YET, listed
from sid.report.benchmark import Benchmark
from sid.report.bracket import bracket
from sid.report.labels import figures, number
from sid.report.naming import start, titles
from sid.report.status import Status, duration
from sid.verdict.claim import TEACHER, Claims
from sid.verdict.claims import judge
from sid.verdict.judged import begin
from sid.verdict.verdict import to_table

STATES = {
    "waits": "waits",
    "trains": "trains",
    "pauses": "pauses",
    "stopped": "is stopped by a gate",
    "reached": "reached the published number",
    "ended": "ended",
}
Run = tuple[str, int]  # Recipe and seed.
Curve = dict[int, float]  # Distance by images.


class Row(NamedTuple):
    """One run in the table, in words; what is not known is empty.

    Attributes:
        name, seed: of the recipe for people, of the training.
        share: of its images that it has seen, from 0 to 1.
        images, rate, left, hours: seen of how many, speed, time left, GPU-hours.
        newest, best: distances of the curve and where, the second so far.
        published: where the published curve was at these images.
        state, why, measured: how it stands, and how far it is measured.
    """

    name: str
    seed: int
    share: float
    images: str
    rate: str
    left: str
    hours: str
    newest: str
    best: str
    published: str
    state: str
    why: str
    measured: str


class Progress(NamedTuple):
    """The section of runs that are on the way.

    Attributes:
        when: it was drawn, for people.
        said: sentences above the table.
        rows: of the table.
        pending: why nothing is judged yet, by recipe or `TEACHER`; empty for what is whole.
        notes: sentences below the table.
    """

    when: str
    said: list[str]
    rows: list[Row]
    pending: Mapping[str, str]
    notes: list[str]


def progress(
    statuses: Sequence[Status],
    found: Sequence[Benchmark],
    claims: Claims,
    finals: Iterable[str],
    when: str,
) -> Progress:
    """The section.

    Args:
        statuses: of every run of the experiment.
        found: the benchmarks of the records so far.
        claims: that name recipes and have their published numbers.
        finals: what has its fresh draws: `RECIPE/seedN`, and `TEACHER`.
        when: the page is drawn.
    """
    named = titles(claims.subjects, [one.recipe for one in statuses])
    curves = _curves(found)
    order = list(named)
    statuses = sorted(statuses, key=lambda one: (order.index(one.recipe), one.seed))
    rows = [_row(one, statuses, named, curves, claims) for one in statuses]
    pending = _pending(statuses, named, set(finals))
    notes = [
        "Hours are those of training; work that was lost, and evaluations, are not in them.",
        "Distances are of the curve: one fixed noise"
        f"{_sizes(found)}. The best of several reads a little low, and is drawn afresh in the end.",
    ]
    return Progress(when, _said(statuses, named, curves), rows, pending, notes)


def verdicts_so_far(
    table: pd.DataFrame, claims: Claims, names: Sequence[str], pending: Mapping[str, str]
) -> pd.DataFrame:
    """Verdicts on claims, as in `verdicts.csv`; those about runs that are on the way are not yet.

    Part of a budget, or of the runs, decides nothing, and its tests are not counted by Holm's
    correction: what it reads is in the table of the runs.

    Args:
        table: records so far.
        claims: as loaded.
        names: of the claims.
        pending: as of `Progress`.
    """
    open_ = {
        name: [pending[of] for of in dict.fromkeys((claim.subject, claim.against)) if of in pending]
        for name in names
        for claim in [claims.claims[name]]
    }
    whole = to_table(judge(table, claims, [name for name, why in open_.items() if not why]))
    waiting = [
        begin(claims.claims[name]).model_copy(
            update={"reason": f"not yet, undecided: {'; '.join(why)}"}
        )
        for name, why in open_.items()
        if why
    ]
    rows = [
        *whole.to_dict("records"),
        *to_table(waiting).assign(verdict=NOT_YET).to_dict("records"),
    ]
    return pd.DataFrame(rows, columns=list(whole.columns))


def _curves(found: Sequence[Benchmark]) -> dict[Run, Curve]:
    """The curve of each run; of several extractors that of the first."""
    curves: dict[Run, Curve] = {}
    for one in found:
        rows = one.distances("curve")
        mine: dict[Run, Curve] = {}
        for row in rows[rows["draw"] == 0].to_dict("records"):
            of = mine.setdefault((str(row["recipe"]), int(row["run_seed"])), {})
            of[int(row["images"])] = float(row["value"])
        curves = {**mine, **curves}
    return curves


def _row(
    one: Status,
    statuses: Sequence[Status],
    named: Mapping[str, str],
    curves: Mapping[Run, Curve],
    claims: Claims,
) -> Row:
    curve = curves.get((one.recipe, one.seed))
    measured = newest = best = ""
    if curve and one.own:
        last, least = max(curve), min(curve, key=curve.__getitem__)
        newest = _at(last, curve[last])
        best = "the best so far" if least == last else f"best {_at(least, curve[least])}"
        measured = f"measured to {number(last / 1000)} kimg" if last else "measured at its start"
    why = one.why
    before = start(claims.subjects, one.recipe)
    if one.state == "waits" and not why and before in named:
        first = next(each for each in statuses if (each.recipe, each.seed) == (before, one.seed))
        why = "" if first.over else f"for {named[before]}, from which it starts"
    return Row(
        named[one.recipe],
        one.seed,
        min(one.images / one.total, 1.0),
        f"{number(one.images / 1000)} of {number(one.total / 1000)} kimg",
        f"{number(one.rate)} images/s" if math.isfinite(one.rate) else "",
        "" if one.over else duration(one.left),
        f"{number(one.hours)} {one.unit}" if one.unit else "",
        newest,
        best,
        bracket(claims, one.recipe, one.images / 1000).text,
        one.state,
        why,
        measured,
    )


def _at(images: int, value: float) -> str:
    return f"{figures(value)} at {f'{number(images / 1000)} kimg' if images else 'its start'}"


def _pending(
    statuses: Sequence[Status], named: Mapping[str, str], finals: set[str]
) -> dict[str, str]:
    """Why claims about a recipe wait, by recipe; that of the teacher by `TEACHER`."""
    waits: dict[str, list[str]] = {}
    for one in statuses:
        name = f"{named[one.recipe]} seed {one.seed}"
        if not one.over:
            at = f"{number(one.images / 1000)} of {number(one.total / 1000)} kimg"
            said = f"{name} {STATES[one.state]}" + (f" at {at}" if one.images else "")
            waits.setdefault(one.recipe, []).append(said)
        elif f"{one.recipe}/seed{one.seed}" not in finals:
            waits.setdefault(one.recipe, []).append(f"{name} has no fresh draws yet")
    pending = {recipe: listed(said) for recipe, said in waits.items()}
    if TEACHER not in finals:
        pending[TEACHER] = "the teacher is not measured yet"
    return pending


def _said(
    statuses: Sequence[Status], named: Mapping[str, str], curves: Mapping[Run, Curve]
) -> list[str]:
    many: Counter[str] = Counter(one.state for one in statuses)
    counted = [f"{many[state]} {_verb(state, many[state])}" for state in STATES if many[state]]
    said = [f"Of {len(statuses)} run{'s' if len(statuses) > 1 else ''} {listed(counted, 6)}."]
    left = max((one.left for one in statuses if one.state == "trains"), default=math.nan)
    if math.isfinite(left):
        after = " Those that wait come after." if many["waits"] else ""
        said.append(f"What trains now has {duration(left)} left at its present rate.{after}")
    units = sorted({one.unit for one in statuses} - {""})
    spent = [
        f"{number(sum(one.hours for one in statuses if one.unit == unit))} {unit}" for unit in units
    ]
    if spent:
        said.append(f"Training took {listed(spent)} so far.")
    for one in statuses:
        if one.state == "reached":
            said.append(
                f"{named[one.recipe]} seed {one.seed} reached {one.why} of this one run, which "
                "says nothing of training again."
            )
    if not curves:
        said.append("Nothing is measured yet.")
    return said


def _verb(state: str, many: int) -> str:
    words = {"waits": "wait", "trains": "train", "pauses": "pause"}
    if many > 1 and state in words:
        return words[state]
    return STATES[state] if many == 1 else STATES[state].replace("is ", "are ", 1)


def _sizes(found: Sequence[Benchmark]) -> str:
    sizes = sorted({one.n_images("curve") for one in found} - {0})
    return f", {' and '.join(f'{n:,}' for n in sizes)} images a snapshot" if sizes else ""
