"""Claims about where generators end: ratios of distances on fresh draws at the last snapshot.

The last snapshot decides, since it is chosen by nothing. The best one is named beside it, and only
ever compared with the best of another recipe. Each distance holds the bias of its number of images
(`sid.verdict.bias`), which draws every ratio toward 1.
"""

import math

from sid.evaluate.table import significant
from sid.verdict.criteria import FACTOR, MARGIN, TEST_LEVEL
from sid.verdict.distances import NAMES, TEACHER_NFE, Distances
from sid.verdict.intervals import Interval, equivalence
from sid.verdict.verdict import (
    MEETS,
    SIDA,
    Contrast,
    Outcome,
    Verdict,
    below,
    called,
    contrast,
    limits,
)

VERDICTS: dict[str, Outcome] = {
    "equivalent": "holds",
    "better": "holds",
    "not worse": "holds",
    "worse": "does not hold",
    "inconclusive": "inconclusive",
}


def _against_teacher(
    distances: Distances, recipe: str, selection: str, level: float
) -> Contrast | None:
    return contrast(distances.fresh(recipe, selection), distances.teacher("final"), level)


def _ratio_to_teacher(distances: Distances, recipe: str, found: Contrast, level: float) -> str:
    """The numbers of a ratio to the teacher, at the last snapshot and at the best."""
    best = _against_teacher(distances, recipe, "best", level)
    return (
        f"{NAMES[recipe]} ({distances.kimg(recipe, 'last')} kimg) reads {found.ratio.value:.3g} "
        f"times the teacher, {limits(found.ratio, level)} {found.covers}"
        f"{_best(distances, [recipe], best, level)}{_bias(distances)}"
    )


def _best(distances: Distances, recipes: list[str], found: Contrast | None, level: float) -> str:
    """The ratio at the best snapshots by the curve, where one of them is not the last."""
    if found is None:
        return ""
    if all(distances.last_is_best(recipe) for recipe in recipes):
        return "; the last is also the best by the curve"
    kimg = " and ".join(distances.kimg(recipe, "best") for recipe in recipes)
    against = "best by the curve" if len(recipes) == 1 else "best against best by the curve"
    return f"; {against} ({kimg} kimg): {found.ratio.value:.3g}, {limits(found.ratio, level)}"


def _bias(distances: Distances) -> str:
    """What of both distances is bias, where the records tell it."""
    if distances.bias is None:
        return ""
    value, stderr = distances.bias.perfect(distances.n_images("final"))
    error = f" ± {significant(stderr, stderr)}" if stderr > 0 else ""
    return (
        f"; a perfect generator would read about {significant(value, stderr)}{error}, a bias in "
        "both distances that draws the ratio toward 1"
    )


def near_teacher(distances: Distances, recipe: str) -> Verdict:
    """Claim: the one-step generator ends within a factor of the teacher."""
    name, runs = NAMES[recipe], distances.fresh(recipe)
    claim = Verdict.of(
        f"near-teacher/{recipe}",
        f"{called(name, len(runs))} in one step ends within a factor {FACTOR:g} of this teacher's "
        f"distance at {TEACHER_NFE} evaluations",
        f"{MEETS[recipe]}; the factor {FACTOR:g} is ours",
    )
    found = _against_teacher(distances, recipe, "last", claim.level)
    if found is None:
        return claim.not_run(f"fresh draws of {name} and the teacher at equal n")
    return claim.found(
        below(found.ratio, FACTOR),
        found.scope,
        "distance / teacher's distance",
        found.ratio,
        _ratio_to_teacher(distances, recipe, found, claim.level),
    )


def meets_teacher(distances: Distances, recipe: str) -> Verdict:
    """Claim: one step meets the teacher, as two one-sided tests at 5 %."""
    name, runs = NAMES[recipe], distances.fresh(recipe)
    claim = Verdict.of(
        f"meets-teacher/{recipe}",
        f"one step of {called(name, len(runs))} meets this teacher at {TEACHER_NFE} evaluations, "
        "within this budget",
        f"{MEETS[recipe]}; the margin of {MARGIN:.0%} is ours".replace("%", " %"),
        level=TEST_LEVEL,
    )
    found = _against_teacher(distances, recipe, "last", claim.level)
    if found is None:
        return claim.not_run(f"fresh draws of {name} and the teacher at equal n")
    logs = Interval(*(math.log(part) for part in found.ratio))
    outcome = equivalence(logs, math.log(1 + MARGIN))
    return claim.found(
        VERDICTS[outcome],
        found.scope,
        "distance / teacher's distance",
        found.ratio,
        f"{outcome}: {_ratio_to_teacher(distances, recipe, found, claim.level)}",
    )


def _sid2a_below(distances: Distances, claim: Verdict, baseline: str) -> Verdict:
    name = NAMES[baseline]
    found = contrast(distances.fresh("sid2a"), distances.fresh(baseline))
    if found is None:
        return claim.not_run(f"fresh draws of SiD2A and {name} of one seed")
    best = contrast(distances.fresh("sid2a", "best"), distances.fresh(baseline, "best"))
    reason = (
        f"SiD2A ({distances.kimg('sid2a', 'last')} kimg of its own) reads "
        f"{found.ratio.value:.3g} times {name}, {limits(found.ratio)} {found.covers}"
        f"{_best(distances, ['sid2a', baseline], best, claim.level)}{_bias(distances)}"
    )
    return claim.found(
        below(found.ratio, 1.0), found.scope, f"SiD2A's distance / {name}'s", found.ratio, reason
    )


def improves_on_start(distances: Distances) -> Verdict:
    """Claim: SiD2A ends below the SiD generator that it began from."""
    who = called("SiD2A", len(distances.fresh("sid2a")))
    claim = Verdict.of(
        "sid2a-improves-on-start",
        f"{who} ends below the SiD generator that it began from",
        f"{SIDA}; READMEs: FID 1.499 on CIFAR-10 (SiD2A, attributed), SiD 1.923",
    )
    return _sid2a_below(distances, claim, "sid")


def improves_on_continued(distances: Distances) -> Verdict:
    """Claim: SiD2A's gain is more than what SiD gains by training on for as long."""
    who = called("SiD2A", len(distances.fresh("sid2a")))
    claim = Verdict.of(
        "sid2a-improves-on-continued",
        f"{who} ends below SiD trained on from the same snapshot for as long",
        f"control of {SIDA}; not in the paper",
    )
    return _sid2a_below(distances, claim, "sid-continued")
