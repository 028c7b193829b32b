"""A verdict: a claim, its criterion, the reproduced figure, the outcome, and what it is about."""

import math
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

Outcome = Literal[
    "reproduces",
    "differs",
    "reached",
    "not reached",
    "holds",
    "does not hold",
    "inconclusive",
    "undecided",
    "not run",
]
# What an outcome says of the claim; all others leave it open.
KEPT: tuple[Outcome, ...] = ("reproduces", "reached", "holds")
BROKEN: tuple[Outcome, ...] = ("differs", "not reached", "does not hold")


class Verdict(BaseModel):
    """What the records say about one claim.

    Attributes:
        claim: id of the claim.
        statement: what is claimed.
        source: where it is made, and what of it is ours.
        criterion: when it holds.
        fixed: commit at which the criterion last changed (`claims.yaml`).
        changed: what of it changed after an outcome had been committed.
        verdict: the outcome. `inconclusive`: evidence of the right kind, and too little of it;
            `undecided`: evidence of a kind that cannot decide, such as one run about training, or
            an unverified number; `not run`: no evidence.
        scope: what it is about: `this checkpoint` (new noise for one trained generator), the file
            that was given in place of a published one, `this run` (one curve), or a number of
            training seeds; with the images seen, where these are fewer than the publisher's.
        figure: what is reproduced.
        value, low, high: the figure, mostly a ratio (reproduced over published, or subject over
            `against`), and its confidence limits; nan where there is none.
        level: their confidence, as a share.
        reason: the numbers, in one sentence.
        kind, subject, against: of the claim (`sid.verdict.claim`).
        dataset, metric, extractor, implementation, n_images: of the records that it rests on.
        published: the published value, nan where there is none.
        published_text: as printed.
        published_of: what kind of value it is.
        evidence: grade of its source.
        reproduced: our value on the published one's scale.
        runs, draws: N training seeds and K draws of each; 0 where there are none.
        run_sd, redraw_sd: of the logarithm, over seeds and over draws; nan where not known.
        new_low, new_high: prediction interval of the figure of one new run or evaluation.
        needed_margin: the smallest margin at which the claim would be kept, as a share: of the
            published value; of a ranking what its bound would be above 1; of a power law the bend.
        p_value, p_holm: of the test that the claim is broken, alone and among those of the page.
        p_kept, p_kept_holm: of a ranking the same of the test that it is kept.
        records: which rows of the records it rests on.
        command: what makes these records.
        changes: what would change the verdict.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    statement: str
    source: str
    criterion: str
    fixed: str
    changed: str = ""
    verdict: Outcome = "not run"
    scope: str = ""
    figure: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    reason: str
    kind: str = ""
    subject: str = ""
    against: str = ""
    dataset: str = ""
    metric: str = ""
    extractor: str = ""
    implementation: str = ""
    n_images: int = 0
    published: float = math.nan
    published_text: str = ""
    published_of: str = ""
    evidence: str = ""
    reproduced: float = math.nan
    runs: int = 0
    draws: int = 0
    run_sd: float = math.nan
    redraw_sd: float = math.nan
    new_low: float = math.nan
    new_high: float = math.nan
    needed_margin: float = math.nan
    p_value: float = math.nan
    p_holm: float = math.nan
    p_kept: float = math.nan
    p_kept_holm: float = math.nan
    records: str = ""
    command: str = ""
    changes: str = ""


def to_table(verdicts: list[Verdict]) -> pd.DataFrame:
    """One row a verdict."""
    rows = [verdict.model_dump() for verdict in verdicts]
    return pd.DataFrame(rows, columns=list(Verdict.model_fields))
