"""A finished published experiment: each of its claims gets a verdict, or a reason why not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.verdict_records import rows_of, table_of
from sid.experiment import claims_of, load_experiment
from sid.shipped import CONFIG, TABLES
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.verdict import BROKEN, KEPT

CLAIMS = load_claims(TABLES)
SHARES = np.geomspace(2e-5, 1, 30)  # Of the images of training, at which there are snapshots.
EXPERIMENTS = ("cifar10", "cifar10-cond", "imagenet64", "ffhq64", "afhqv2-64", "ablation")


def at_draw_0(rows: list[dict[str, Any]], images: str) -> list[dict[str, Any]]:
    """Rows of the curves' fixed noise, each of images of its own."""
    hashes = [f"{images} {row['run_seed']}" for row in rows]
    made = zip(rows, hashes, strict=True)
    return [{**row, "draw": 0, "generated_sha256": digest} for row, digest in made]


def finished(experiment: str, seeds: int) -> pd.DataFrame:
    """Records as the experiment's evaluations leave them: curves, fresh draws, and the teacher."""
    plan = load_experiment(experiment, CONFIG)
    rng = np.random.default_rng(3)
    data: dict[str, Any] = {"dataset": plan.experiment.data.name, "labels": ""}
    if plan.teacher.conditional:
        data["labels"] = "data set's frequencies of 1000 classes"
    about = CLAIMS.subjects[plan.teacher.name]
    level = CLAIMS.claims[f"{plan.teacher.name}/fid"].number
    assert level
    ideal = np.log(level.value)
    teacher = {**data, "role": "teacher", "recipe": plan.teacher.name, "nfe": about.nfe}
    noise = rng.normal(0, 0.005, 10)
    rows = [
        rows_of(ideal + noise[None], **teacher, selection="", kimg=0.0, images=0),
        at_draw_0(rows_of(np.array([[ideal]]), **teacher, selection=""), "teacher"),
    ]
    for recipe in plan.recipes.values():
        logs = ideal - 0.3 + noise + rng.normal(0, 0.005, (seeds, 10))
        runs = {**data, "recipe": recipe.name, "kimg": recipe.kimg}
        rows += [rows_of(logs, **runs, selection=which) for which in ("last", "best")]
        for kimg in (0.0, *(recipe.kimg * SHARES)):
            slope = 0.4 * np.log(recipe.kimg / max(kimg, 1))
            curve = ideal - 0.3 + slope + rng.normal(0, 0.01, (seeds, 1))
            points = {**runs, "kimg": kimg, "role": "curve", "selection": ""}
            rows.append(at_draw_0(rows_of(curve, **points), f"{recipe.name} {kimg}"))
    return table_of(*rows)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_one_seed_leaves_no_claim_without_evidence(experiment: str) -> None:
    names = claims_of(load_experiment(experiment, CONFIG), CLAIMS)
    verdicts = judge(finished(experiment, 1), CLAIMS, names)
    assert [verdict.claim for verdict in verdicts] == names
    assert not [v.claim for v in verdicts if v.verdict == "not run"]
    assert all(len(verdict.reason) > 20 for verdict in verdicts)
    about_training = {"retraining", "fall", "power-law", "faster"}
    assert {v.verdict for v in verdicts if v.kind in about_training} == {"undecided"}


def test_several_seeds_decide() -> None:
    names = claims_of(load_experiment("cifar10", CONFIG), CLAIMS)
    verdicts = {v.claim: v for v in judge(finished("cifar10", 3), CLAIMS, names)}
    assert "not run" not in {verdict.verdict for verdict in verdicts.values()}
    decided = [name for name, v in verdicts.items() if v.verdict in (*KEPT, *BROKEN)]
    for kind in ("retraining", "ranking", "fall"):
        assert any(verdicts[name].kind == kind for name in decided), kind
    unverified = [v for v in verdicts.values() if v.evidence == "unverified"]
    assert {verdict.verdict for verdict in unverified} == {"undecided"}


def test_what_published_files_say_does_not_come_from_an_experiment() -> None:
    """Without names, all claims about the recipes of the records are judged, files' too."""
    verdicts = judge(finished("ffhq64", 1), CLAIMS)
    kinds = {verdict.kind for verdict in verdicts if verdict.verdict == "not run"}
    assert kinds == {"checkpoint"}
