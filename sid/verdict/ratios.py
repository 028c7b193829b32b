"""Claims about where generators end: ratios of distances on fresh draws at the last snapshot.

The last snapshot decides, since it is chosen by nothing; the best one is named beside it.
"""

import math

from sid.verdict.distances import NAMES, TEACHER_NFE, Distances
from sid.verdict.intervals import Interval, equivalence
from sid.verdict.verdict import (
    SIDA,
    Contrast,
    Outcome,
    Verdict,
    below,
    contrast,
    limits,
    surpasses,
)

FACTOR = 3.0
MARGIN = 0.10


def _against_teacher(
    distances: Distances, recipe: str, selection: str, level: float
) -> Contrast | None:
    teacher = distances.teacher(distances.n_images("final"))
    return contrast(distances.fresh(recipe, selection), teacher, level)


def _best(distances: Distances, recipe: str, found: Contrast | None, level: float) -> str:
    if found is None:
        return ""
    kimg = distances.kimg(recipe, "best")
    return f"; best by the curve ({kimg} kimg): {found.ratio.value:.3g}, " + limits(
        found.ratio, level
    )


def near_teacher(distances: Distances, recipe: str) -> Verdict:
    """Claim: the one-step generator ends within a factor of the teacher."""
    name = NAMES[recipe]
    claim = Verdict(
        claim=f"near-teacher/{recipe}",
        statement=f"{name} in one step ends within a factor {FACTOR:g} of the teacher's distance "
        f"at {TEACHER_NFE} evaluations",
        source=surpasses(recipe),
        criterion=f"95 % interval of the ratio below {FACTOR:g}: equal n, fresh draws, "
        "last snapshot",
        reason="",
    )
    found = _against_teacher(distances, recipe, "last", claim.level)
    if found is None:
        return claim.not_run(f"fresh draws of {name} and the teacher at equal n")
    reason = (
        f"{name} ({distances.kimg(recipe, 'last')} kimg) reads {found.ratio.value:.3g} times the "
        f"teacher, {limits(found.ratio)} {found.covers}"
    )
    best = _against_teacher(distances, recipe, "best", claim.level)
    return claim.found(
        below(found.ratio, FACTOR),
        found.scope,
        "distance / teacher's distance",
        found.ratio,
        reason + _best(distances, recipe, best, claim.level),
    )


def meets_teacher(distances: Distances, recipe: str) -> Verdict:
    """Claim: one step meets the teacher, as two one-sided tests at 5 %."""
    name, level = NAMES[recipe], 0.90
    claim = Verdict(
        claim=f"meets-teacher/{recipe}",
        statement=f"One step of {name} meets the teacher at {TEACHER_NFE} evaluations, within "
        "this budget",
        source=surpasses(recipe),
        criterion=f"90 % interval of the ratio below {1 + MARGIN:.2f} (one-sided test at 5 %); "
        f"equivalent if also above 1/{1 + MARGIN:.2f} (two such tests), better if all below that",
        level=level,
        reason="",
    )
    found = _against_teacher(distances, recipe, "last", level)
    if found is None:
        return claim.not_run(f"fresh draws of {name} and the teacher at equal n")
    logs = Interval(*(math.log(part) for part in found.ratio))
    outcome = equivalence(logs, math.log(1 + MARGIN))
    verdicts: dict[str, Outcome] = {
        "equivalent": "holds",
        "better": "holds",
        "not worse": "holds",
        "worse": "does not hold",
        "inconclusive": "inconclusive",
    }
    reason = (
        f"{outcome}: {name} ({distances.kimg(recipe, 'last')} kimg) reads {found.ratio.value:.3g} "
        f"times the teacher, {limits(found.ratio, level)} {found.covers}"
    )
    best = _against_teacher(distances, recipe, "best", level)
    return claim.found(
        verdicts[outcome],
        found.scope,
        "distance / teacher's distance",
        found.ratio,
        reason + _best(distances, recipe, best, level),
    )


def _sid2a_below(distances: Distances, claim: Verdict, baseline: str, called: str) -> Verdict:
    base = distances.fresh(baseline)
    found = contrast(distances.fresh("sid2a"), base)
    if found is None:
        return claim.not_run(f"fresh draws of SiD2A and {called} of one seed")
    reason = (
        f"SiD2A ({distances.kimg('sid2a', 'last')} kimg of its own) reads "
        f"{found.ratio.value:.3g} times {called}, {limits(found.ratio)} {found.covers}"
    )
    best = contrast(distances.fresh("sid2a", "best"), base)
    return claim.found(
        below(found.ratio, 1.0),
        found.scope,
        f"SiD2A's distance / {called}'s",
        found.ratio,
        reason + _best(distances, "sid2a", best, claim.level),
    )


def improves_on_start(distances: Distances) -> Verdict:
    """Claim: SiD2A ends below the SiD generator that it began from."""
    claim = Verdict(
        claim="sid2a-improves-on-start",
        statement="SiD2A ends below the SiD generator that it began from",
        source=f"{SIDA}; READMEs: FID 1.499 on CIFAR-10 (SiD2A, attributed), SiD 1.923",
        criterion="95 % interval of the ratio, SiD2A over SiD's last snapshot, below 1: "
        "fresh draws, last snapshot",
        reason="",
    )
    return _sid2a_below(distances, claim, "sid", "SiD")


def improves_on_continued(distances: Distances) -> Verdict:
    """Claim: SiD2A's gain is more than what SiD gains by training on for as long."""
    claim = Verdict(
        claim="sid2a-improves-on-continued",
        statement="SiD2A ends below SiD trained on from the same snapshot for as long",
        source=f"control of {SIDA}; not in the paper",
        criterion="95 % interval of the ratio, SiD2A over SiD continued, below 1: fresh draws, "
        "last snapshots",
        reason="",
    )
    return _sid2a_below(distances, claim, "sid-continued", "SiD continued")
