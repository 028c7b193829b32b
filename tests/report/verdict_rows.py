"""Verdicts of every outcome on a made-up checkpoint, its retraining, and a ranking."""

from typing import Any

import pandas as pd

from sid.evaluate.records import Record
from sid.verdict.claim import Claims, load_claims
from sid.verdict.verdict import Verdict, to_table

SUBJECT = "cifar10-uncond-sid-alpha1.2"
TITLE = "SiD, alpha = 1.2"
DATA = "cifar10-32x32"
MEASURED: dict[str, Any] = {
    "dataset": DATA,
    "metric": "frechet_distance",
    "extractor": "inception-2015",
    "implementation": "nvidia",
    "n_images": 50000,
    "draws": 10,
    "subject": SUBJECT,
    "source": "README of mingyuanzhou/SiD, table 1",
    "fixed": "0123abc",
    "level": 0.9,
    "records": f"role external, recipe {SUBJECT}, draws 1 to 10",
    "command": f"sid verify {SUBJECT}",
}
PUBLISHED: dict[str, Any] = {
    "kind": "checkpoint",
    "scope": "this checkpoint",
    "criterion": "90 % interval of the ratio within a margin of 2 %: reproduces",
    "published": 1.923,
    "published_text": "1.923",
    "published_of": "mean of 10",
    "evidence": "primary",
    "figure": "reproduced / published",
}
RETRAINED = PUBLISHED | {
    "kind": "retraining",
    "scope": "3 training seeds",
    "criterion": "the mean's upper limit within 5 % of the published number: reached",
    "runs": 3,
    "command": "snakemake --config experiment=cifar10",
    "records": f"role final, recipe {SUBJECT}, best, draws 1 to 10",
}
LIMITS = ("value", "low", "high", "new_low", "new_high")
RANKED: dict[str, Any] = {
    "kind": "ranking",
    "against": "teacher",
    "scope": "3 training seeds",
    "criterion": "90 % interval of the ratio below 1.10",
    "figure": "distance / teacher's",
    "runs": 3,
}


AGAIN = {"run_sd": 0.021, "redraw_sd": 0.009}
SIDA = {"subject": "cifar10-uncond-sida-alpha1", "published": 1.516, "published_text": "1.516"}
COND = {"subject": "cifar10-cond-sid-alpha1.2", "published": 1.710, "published_text": "1.710"}


def row(verdict: str, *parts: dict[str, Any], **fields: Any) -> Verdict:
    """A verdict of its parts, under the name of subject and kind."""
    found: dict[str, Any] = {**MEASURED, "verdict": verdict}
    for part in parts:
        found |= part
    found |= fields
    return Verdict.model_validate({"claim": f"{found['subject']}/{found['kind']}", **found})


def every_outcome() -> pd.DataFrame:
    """One verdict of each outcome, as `sid verdict` makes them."""
    rows = [
        row(
            *("reproduces", PUBLISHED),
            statement=f"{TITLE} reads FID 1.923 on {DATA}",
            reason="1.931 over 10 draws, +0.42 % of 1.923, 90 % interval -0.2 % to +1.0 %",
            **dict(zip(LIMITS, (1.0042, 0.998, 1.0101, 0.986, 1.023), strict=True)),
            reproduced=1.931,
            redraw_sd=0.009,
            needed_margin=0.0101,
            changes="an interval that leaves the margin of 2 %",
        ),
        row(
            *("differs", PUBLISHED, SIDA),
            statement=f"SiDA, alpha = 1 reads FID 1.516 on {DATA}",
            reason="1.668 over 10 draws, +10.0 % of 1.516, 90 % interval +9.1 to +10.9 %",
            **dict(zip(LIMITS, (1.1, 1.091, 1.109, 1.08, 1.12), strict=True)),
            reproduced=1.668,
            p_value=1e-7,
            p_holm=3e-7,
            needed_margin=0.109,
        ),
        row(
            *("inconclusive", PUBLISHED, COND),
            statement=f"{TITLE} with labels reads FID 1.710 on {DATA}",
            reason="1.737 over 10 draws, +1.6 %, 90 % interval +0.4 % to +2.8 %",
            **dict(zip(LIMITS[:3], (1.016, 1.004, 1.028), strict=True)),
        ),
        row(
            *("reached", RETRAINED, AGAIN),
            statement=f"{TITLE}, trained again, reaches FID 1.923 on {DATA}",
            reason="1.904 over 3 runs, the mean's upper limit 3 % above 1.923",
            **dict(zip(LIMITS, (0.99, 0.95, 1.03, 0.9, 1.09), strict=True)),
        ),
        row(
            *("not reached", RETRAINED, AGAIN, SIDA),
            statement=f"SiDA, alpha = 1, trained again, reaches FID 1.516 on {DATA}",
            reason="4.2 over 3 runs, 2.8 times the published number",
            **dict(zip(LIMITS, (2.8, 2.5, 3.1, 2.2, 3.5), strict=True)),
            p_value=0.002,
            p_holm=0.06,
        ),
        row(
            *("holds", RANKED, AGAIN),
            statement=f"{TITLE} is within 10 % of its teacher",
            reason="0.976 times the teacher's distance, given this teacher",
            **dict(zip(LIMITS[:3], (0.976, 0.95, 1.003), strict=True)),
            needed_margin=0.003,
            p_kept=0.004,
            p_kept_holm=0.012,
        ),
        row(
            *("does not hold", RANKED, AGAIN),
            kind="fall",
            statement=f"{TITLE} lowers the distance at least 50 times",
            reason="22 times, 90 % interval 19 to 26",
            criterion="interval of image 0's distance over the last snapshot's above 50",
            figure="distance at image 0 / at the last",
            **dict(zip(LIMITS[:3], (22.0, 19.0, 26.0), strict=True)),
            p_value=0.0003,
            p_holm=0.0006,
        ),
        row(
            *("undecided", RETRAINED, COND),
            statement=f"{TITLE} with labels, trained again, reaches FID 1.710 on {DATA}",
            reason="one run says nothing of training again",
            runs=1,
            scope="this run",
            value=1.07,
            evidence="unverified",
            changes="a second training seed, and a verified number",
        ),
        row(
            *("not run", SIDA),
            kind="faster",
            draws=0,
            n_images=0,
            published_text="",
            records="",
            statement="SiDA needs fewer images than SiD",
            reason="the records have no curve of cifar10-uncond-sida-alpha1",
            criterion="interval of images of SiD over images of SiDA above 1",
            command="snakemake --config experiment=cifar10",
            changes="a curve of each",
        ),
    ]
    return to_table(rows)


def claims_of(verdicts: pd.DataFrame) -> Claims:
    """The shipped claims, with one for each of these verdicts, of its kind's margin."""
    shipped = load_claims()
    some = shipped.claims[f"{SUBJECT}/fid"]
    bounds = {"checkpoint": 0.02, "retraining": 0.05, "ranking": 1.10}
    made = {
        str(name): some._replace(
            name=str(name),
            criterion=some.criterion.model_copy(update={"bound": bounds.get(str(kind), 50.0)}),
        )
        for name, kind in verdicts[["claim", "kind"]].to_numpy()
    }
    return shipped._replace(claims=made)


def external_records() -> pd.DataFrame:
    """What `sid verify` measures of one checkpoint: 10 draws by two implementations."""
    rows = [
        {
            "role": "external",
            "recipe": SUBJECT,
            "dataset": DATA,
            "generated": "network.pkl",
            "weights_sha256": "a" * 64,
            "metric": "frechet_distance",
            "extractor": "inception-2015",
            "extractor_sha256": "b" * 64,
            "implementation": implementation,
            "implementation_version": "1.0",
            "nfe": 1,
            "value": 1.931 + 0.001 * draw + offset,
            "n_images": 50000,
            "n_reference": None,
            "reference_sha256": "c" * 64,
            "draw": draw,
            "seed": draw,
            "seconds": 1.0,
            "device": "cpu",
            "torch": "2.13.0",
            "git": "0123abc",
        }
        for draw in range(1, 11)
        for implementation, offset in (("nvidia", 0.0), ("ours", 1e-7))
    ]
    return pd.DataFrame(
        [Record.model_validate(row).model_dump() for row in rows], columns=list(Record.model_fields)
    )
