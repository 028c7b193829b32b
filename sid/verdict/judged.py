"""What every kind of claim has in common: the fields of its verdict, the words of its reason."""

import math
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sid.config import read_layers
from sid.shipped import CONFIG
from sid.verdict.claim import TEACHER, Claim
from sid.verdict.design import Array, Estimate
from sid.verdict.parts import Part, reach
from sid.verdict.published import GRADES
from sid.verdict.side import Side
from sid.verdict.verdict import Outcome, Verdict

SEEDS = "[0,1,2]"  # Of a command for runs that are still to be made.
MORE_RUNS = "an experiment of more runs, fixed beforehand"
MANY = 1000  # Runs or draws; nobody makes more for a verdict.


class Ratio(NamedTuple):
    """A log ratio with its limits, and those of a new run or draw.

    Attributes:
        value: the ratio's logarithm.
        low, high: its limits, nan where nothing repeats.
        new: what the prediction interval reaches to either side.
    """

    value: float
    low: float
    high: float
    new: float

    def worse(self, sign: int) -> "Ratio":
        """Above 0 where the subject is worse: turned round where higher is better (sign -1)."""
        if sign > 0:
            return self
        return Ratio(-self.value, -self.high, -self.low, self.new)


def ratio_of(value: float, parts: Sequence[Part], new: Sequence[Part], level: float) -> Ratio:
    """The limits of a ratio whose error has these parts; one that is no number gives none."""
    half = reach(parts, level)
    return Ratio(value, value - half, value + half, reach(new, level))


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
    """What makes the records of a claim; for all but published files with several seeds."""
    if claim.given:
        return f"sid verify {shlex.quote(claim.given)} --claim {claim.subject}"
    if claim.kind == "checkpoint" and claim.about.weights:
        return f"sid verify {claim.subject}"
    if claim.kind == "checkpoint":
        return f"sid evaluate compare GENERATOR REFERENCE --as {claim.subject}"
    needs = {claim.subject, claim.against} - {"", TEACHER}
    for name, dataset, recipes in _experiments():
        if dataset == claim.about.dataset and needs <= recipes:
            return f"snakemake --cores all --config experiment={name} seeds='{SEEDS}'"
    return f"sid distill --recipe {claim.subject}"


@cache
def _experiments() -> list[tuple[str, str, set[str]]]:
    """Name, data set and recipes of each experiment of the package, of few recipes first."""
    found = []
    for path in sorted(CONFIG.glob("*.yaml")):
        said = read_layers(path)
        recipes = {Path(recipe).stem for recipe in said.get("recipes", [])}
        found.append((path.stem, said.get("data", {}).get("name", ""), recipes))
    return sorted(found, key=lambda each: len(each[2]))


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
            "command": _of_seeds(verdict.command, seeds),
        }
    )


def _of_seeds(command: str, seeds: Sequence[int]) -> str:
    """The command with the seeds of the runs that were found, if these were trained here."""
    own = ",".join(str(seed) for seed in seeds if seed >= 0)
    return command.replace(SEEDS, f"[{own}]") if own else command


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
            "command": _of_seeds(verdict.command, seeds),
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
            "low": math.exp(ratio.low),
            "high": math.exp(ratio.high),
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


def counted(number: int, thing: str) -> str:
    """A number of things, in words."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def spreads(found: Estimate) -> str:
    """N, K and the spreads, in words."""
    draws = counted(found.draws, "draw")
    runs = f"{found.runs} runs of {draws}" if found.runs > 1 else draws
    told = [f"run sd {per_cent(found.run_sd)}"] if found.runs > 1 else []
    told += [f"redraw sd {per_cent(found.redraw_sd)}"] if found.draws > 1 else []
    return f"{runs} ({', '.join(told)})" if told else runs


def from_start(count: int, what: str) -> str:
    """An experiment that would decide; nothing is added to one that has been looked at."""
    return f"an experiment of about {count} {what}, fixed beforehand, if mean and spread stay"


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
