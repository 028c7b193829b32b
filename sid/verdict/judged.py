"""What every kind of claim has in common: the fields of its verdict, the words of its reason."""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sid.config import read_yaml
from sid.shipped import CONFIG
from sid.verdict.claim import Claim
from sid.verdict.design import Array, Estimate, quantile
from sid.verdict.published import GRADES
from sid.verdict.side import Side
from sid.verdict.verdict import Outcome, Verdict

MANY = 1000  # Runs or draws; nobody makes more for a verdict.


class Judged(NamedTuple):
    """A verdict, and the p of a ranking that it is kept by chance; nan where that is not asked."""

    verdict: Verdict
    kept_p: float = math.nan


class Ratio(NamedTuple):
    """A log ratio with its limits, and those of a new run or draw.

    Attributes:
        value: the ratio's logarithm.
        half: what its interval reaches to either side, nan where nothing repeats.
        new: what the prediction interval reaches to either side.
    """

    value: float
    half: float
    new: float


def ratio_of(value: float, variance: float, new: float, freedom: int, level: float) -> Ratio:
    """The limits by Student's t; a variance that is no number gives none."""
    t = quantile(level, freedom)
    return Ratio(value, t * math.sqrt(variance), t * math.sqrt(new))


def begin(claim: Claim) -> Verdict:
    """The verdict of a claim before any record is looked at."""
    protocol, number = claim.protocol, claim.number
    return Verdict(
        claim=claim.name,
        statement=claim.statement,
        source=claim.source,
        criterion=claim.criterion.text,
        fixed=claim.criterion.fixed,
        changed=claim.criterion.changed,
        level=claim.criterion.level,
        reason="",
        kind=claim.kind,
        subject=claim.subject,
        against=claim.against,
        dataset=claim.dataset,
        metric=protocol.metric,
        extractor=protocol.extractor,
        implementation=protocol.implementation,
        n_images=protocol.n_images,
        published=number.value if number else math.nan,
        published_text=number.text if number else "",
        published_of=protocol.of if number else "",
        evidence=claim.evidence,
        command=command_of(claim),
    )


def command_of(claim: Claim) -> str:
    """What makes the records of a claim."""
    if claim.kind == "checkpoint":
        return f"sid verify {claim.subject}"
    name = _experiments().get((claim.about.dataset, claim.subject))
    return (
        f"snakemake --cores all --config experiment={name}"
        if name
        else f"sid distill --recipe {claim.subject}"
    )


@cache
def _experiments() -> dict[tuple[str, str], str]:
    """The first experiment that comes with the package of each data set and recipe."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(CONFIG.glob("*.yaml")):
        said = read_yaml(path)
        data = said.get("data", {}) if isinstance(said, dict) else {}
        for recipe in said.get("recipes", []) if data else []:
            name = str(recipe).rpartition("/")[2].removesuffix(".yaml")
            found.setdefault((data.get("name", ""), name), path.stem)
    return found


def unsure(claim: Claim) -> str:
    """Why the published number decides nothing, empty if it may."""
    if GRADES.get(claim.evidence, False):
        return ""
    return f"its source is graded {claim.evidence or 'nothing'}, and such a number decides nothing"


def measured(
    verdict: Verdict,
    sides: Sequence[Side],
    seeds: Sequence[int],
    draws: Sequence[float],
    found: Estimate,
) -> Verdict:
    """The verdict with what it rests on."""
    about = sides[0].about
    return verdict.model_copy(
        update={
            "extractor": about.extractor,
            "n_images": about.n_images,
            "runs": found.runs,
            "draws": found.draws,
            "run_sd": found.run_sd,
            "redraw_sd": found.redraw_sd,
            "records": "; ".join(rests_on(side, seeds, draws) for side in sides),
        }
    )


def curves_of(verdict: Verdict, sides: Sequence[Side], seeds: Sequence[int]) -> Verdict:
    """The verdict with the curves that it rests on."""
    about = sides[0].about
    return verdict.model_copy(
        update={
            "extractor": about.extractor,
            "n_images": about.n_images,
            "runs": len(seeds),
            "draws": 1,
            "records": "; ".join(rests_on(side, seeds, [0]) for side in sides),
        }
    )


def rests_on(side: Side, seeds: Sequence[int], draws: Sequence[float]) -> str:
    """Which rows, as columns and what they hold."""
    about = side.about
    own = [seed for seed in side.values if seed in seeds] or list(side.values)
    fields = {
        "role": about.role,
        "recipe": about.recipe,
        "selection": about.selection,
        "run_seed": ",".join(map(str, sorted(own))),
        "draw": ",".join(f"{draw:g}" for draw in draws),
        "weights_sha256": about.weights_sha256[:12],
        "reference_sha256": about.reference_sha256[:12],
    }
    return " ".join(f"{name}={held}" for name, held in fields.items() if held)


def compared(verdict: Verdict, ratio: Ratio, outcome: Outcome, scope: str) -> Verdict:
    """The verdict with its outcome and a ratio that is 1 where both sides are equal."""
    return verdict.model_copy(
        update={
            "verdict": outcome,
            "scope": scope,
            "value": math.exp(ratio.value),
            "low": math.exp(ratio.value - ratio.half),
            "high": math.exp(ratio.value + ratio.half),
            "new_low": math.exp(ratio.value - ratio.new),
            "new_high": math.exp(ratio.value + ratio.new),
        }
    )


def scope_of(runs: int) -> str:
    """What a verdict is about: one trained generator says nothing of training again."""
    return f"{runs} training seeds" if runs > 1 else "this checkpoint"


def per_cent(share: float) -> str:
    """A share in words, three digits."""
    return f"{100 * share:.3g} %"


def limits(verdict: Verdict) -> str:
    """The interval in words."""
    if math.isnan(verdict.low):
        return "no interval"
    level = per_cent(verdict.level)
    return f"{level} interval {verdict.low:.4g} to {verdict.high:.4g}"


def spreads(found: Estimate) -> str:
    """N, K and the spreads, in words."""
    draws = f"{found.draws} draw" if found.draws == 1 else f"{found.draws} draws"
    runs = f"{found.runs} runs of {draws}" if found.runs > 1 else draws
    told = [f"run sd {per_cent(found.run_sd)}"] if found.runs > 1 else []
    told += [f"redraw sd {per_cent(found.redraw_sd)}"] if found.draws > 1 else []
    return f"{runs} ({', '.join(told)})" if told else runs


def first_enough(decided: NDArray[np.bool_]) -> int:
    """The first number, counted from 1, at which something is decided; 0 for none."""
    places = np.flatnonzero(decided)
    return int(places[0]) + 1 if len(places) else 0


@cache
def many_t(level: float) -> Array:
    """`quantile` of one less than each of the counts 1 .. `MANY`, nan of none, [MANY]."""
    freedom = np.arange(MANY, dtype=float)
    t: Array = np.full(MANY, math.nan)
    t[1:] = stdtrit(freedom[1:], (1 + level) / 2)
    return t
