"""Our values for the papers' tables: a verdict's, else the mean of the records."""

import math

import numpy as np
import pandas as pd

from sid.report.benchmark import Benchmark
from sid.report.naming import teacher_nfe
from sid.verdict.claim import Claims
from sid.verdict.design import crossed
from sid.verdict.judged import counted
from sid.verdict.parts import reach

# The papers' metrics, and which value is the best.
SHOWN = {
    "frechet_distance": "least",
    "inception_score": "greatest",
    "precision": "greatest",
    "recall": "greatest",
}
LEVEL = 0.90  # Of the interval of a value that no verdict has.
OURS = {"checkpoint": "not trained here", "retrained": "trained here"}
KINDS = {"checkpoint": "checkpoint", "retraining": "retrained"}


def our_values(
    benchmark: Benchmark, claims: Claims, verdicts: pd.DataFrame
) -> dict[tuple[str, str, str], dict[str, object]]:
    """Our values by subject, kind (a key of `OURS`) and metric: a verdict's, else the records'.

    A teacher, or a generator from elsewhere, has the kind `checkpoint` where its weights are not
    from here. The records' value is the geometric mean over draws, then over training seeds, and
    its interval is over seeds and the draws that they share (`sid.verdict.design`).
    """
    found = _measured(benchmark, claims)
    rows = verdicts[verdicts["kind"].isin(list(KINDS))] if "kind" in verdicts else verdicts[:0]
    at_hand = [one.name for one in claims.claims.values() if one.given]
    rows = rows[~rows["claim"].isin(at_hand)] if at_hand else rows  # A file is no published row.
    for row in rows.to_dict("records"):
        same = row["dataset"] == benchmark.dataset and row["extractor"] == benchmark.extractor
        key = (row["subject"], KINDS[row["kind"]], row["metric"])
        if not same or not math.isfinite(float(row["reproduced"])):
            if same and key in found and row["verdict"] != "not run":
                found[key]["verdict"] = row["verdict"]
            continue
        scale = float(row["reproduced"]) / float(row["value"])
        seeds = f"{row['runs']} training seeds" if row["runs"] > 1 else f"{row['draws']} draws"
        found[key] = {
            "value": row["reproduced"],
            "low": row["low"] * scale,
            "high": row["high"] * scale,
            "over": seeds,
            "verdict": row["verdict"],
        }
    return found


def _measured(
    benchmark: Benchmark, claims: Claims
) -> dict[tuple[str, str, str], dict[str, object]]:
    rows = benchmark.records
    rows = rows[rows["metric"].isin(SHOWN) & (rows["implementation"] == benchmark.implementation)]
    value = pd.to_numeric(rows["value"], errors="coerce").astype(float)
    rows = rows.assign(value=value)[np.isfinite(value) & (value > 0)]
    nfe = teacher_nfe(rows, claims.subjects)
    retrained = [name for name, about in claims.subjects.items() if about.retraining]
    # Published generators are those of the lowest distance; others are taken where they end.
    wanted = np.where(rows["recipe"].isin(retrained), "best", "last")
    chosen = (
        (rows["role"] == "external")
        | ((rows["role"] == "final") & (rows["selection"] == wanted))
        | ((rows["role"] == "teacher") & (rows["nfe"] == nfe))
    )
    rows = rows[chosen]
    most = rows.groupby(["role", "recipe", "metric"])["n_images"].transform("max")
    rows = rows[rows["n_images"] == most]
    # Of two rules by which classes were drawn the first: their values are never pooled.
    rule = rows.groupby(["role", "recipe", "metric"])["labels"].transform("first")
    rows = rows[rows["labels"] == rule]
    imported = {name for name, about in claims.subjects.items() if about.weights}
    found = {}
    for (role, recipe, metric), group in rows.groupby(["role", "recipe", "metric"], sort=False):
        there = role == "external" or (role == "teacher" and recipe in imported)
        found[str(recipe), "checkpoint" if there else "retrained", str(metric)] = _mean(group)
    return found


def _mean(rows: pd.DataFrame) -> dict[str, object]:
    """The geometric mean of one generator's, or one recipe's, values, with its interval."""
    logs = np.log(rows["value"])
    every = logs.groupby([rows["run_seed"], rows["draw"]]).mean().unstack()
    shared = every.dropna(axis="columns")
    found = crossed((every.mean(axis="columns").to_frame() if shared.empty else shared).to_numpy())
    told = [part for part in found.parts if part.freedom > 0]  # One draw has none.
    half = reach(told, LEVEL) if told else math.nan
    runs, draws = found.runs, found.draws
    return {
        "value": math.exp(found.mean),
        "low": math.exp(found.mean - half),
        "high": math.exp(found.mean + half),
        "over": f"{runs} training seeds" if runs > 1 else counted(draws, "draw"),
    }
