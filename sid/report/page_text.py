"""The page's texts that are no table: what was run, what may be said against it, captions."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from sid.evaluate.metrics import INCEPTION
from sid.report.answer import NOT_YET
from sid.report.forest import COMPARED
from sid.report.tables import with_error
from sid.verdict.bias import Bias

GENERATED = ("curve", "final", "teacher", "external", "sample")  # Roles that are no real images.
FEW = 3  # Runs up to which a wide prediction interval makes "not reached" nearly unattainable.


class Caption(NamedTuple):
    """What stands around a figure: heading, text alternative, caption."""

    heading: str
    alt: str
    text: str


CAPTIONS = {
    "curves": Caption(
        "Distance over images seen",
        "Log-log curves of the distance over the images that the generator has seen, for each "
        "method, with horizontal lines for the teacher and other levels.",
        "Each point is a snapshot. Curves of one table have one noise and one number of images. A "
        "method that starts from another one's snapshot counts its images from there.",
    ),
    "ablation": Caption(
        "The ablation of alpha",
        "The distance for each value of alpha, with intervals, beside published values.",
        "Everything but alpha is equal.",
    ),
    "walk": Caption(
        "One option at a time",
        "A row a recipe: above those of which each differs from the last in one option, below the "
        "other methods, with the distance where each ends and its interval.",
        "All at the same images. Below the gap: other methods, the best first.",
    ),
    "cost": Caption(
        "Cost and quality",
        "The distance over the GPU-hours that training takes, one mark for each generator.",
        "Costs are estimates by `sid cost`, unless a run was timed.",
    ),
    "samples": Caption(
        "Samples from one noise",
        "Samples of each method at several snapshots, all from the same noise.",
        "The same latents in every cell, of the first training seed of each recipe.",
    ),
    "neighbours": Caption(
        "Nearest real images",
        "Generated images, each beside the real images nearest to it.",
        "A generator that copies its data shows pairs that are alike.",
    ),
    "agreement": Caption(
        "Do the implementations agree?",
        "For each two implementations the relative differences of their values on the same "
        "images, on a logarithmic axis.",
        "",  # `sid.report.agreement_figure.legend` says what is drawn.
    ),
}


def caption(name: str) -> Caption:
    """Of a figure `NAME` or `NAME-BENCHMARK`; one unknown here has its name."""
    kind, _, benchmark = name.partition("-")
    known = CAPTIONS.get(kind, Caption(kind.capitalize(), f"{kind.capitalize()}, a figure.", ""))
    return known._replace(heading=f"{known.heading}, {benchmark}") if benchmark else known


def objections(verdicts: pd.DataFrame) -> list[tuple[str, str]]:
    """What a critical reader says of these verdicts, and what can be answered.

    Args:
        verdicts: rows with the fields of `sid.verdict.verdict.Verdict`.
    """
    run = verdicts[~verdicts["verdict"].isin(["not run", NOT_YET])]
    ratios = run[run["kind"].isin(COMPARED)]
    again = run[run["kind"] == "retraining"]
    several = run.loc[run["runs"] > 1, "runs"]
    named = (
        "Each criterion names the commit that fixed it, and each"
        if all(ratios["fixed"])
        else "Each"
    )
    distance = "FID" if set(ratios["extractor"]) == {INCEPTION} else "The distance"
    every = (
        (
            len(ratios) > 0,
            "The margins are conventions.",
            f"They are. {named} claim has the smallest margin that would keep it.",
        ),
        (
            (run["changed"] != "").any(),
            "Criteria were changed after outcomes had been seen.",
            "Some were: each claim says what was changed, and after which committed outcome.",
        ),
        (
            (again["runs"] <= FEW).any(),
            f"With {FEW} runs or fewer, \u201cnot reached\u201d is nearly unattainable.",
            "True: a published number is itself one run, so that a new run must be predicted, "
            "and two or three runs predict little. Inconclusive means no more than that.",
        ),
        (
            len(several) > 0,
            f"Intervals from {several.min()} runs take a normal law for granted.",
            "That of the logarithm, with Student's t. So few runs cannot test it.",
        ),
        (
            len(again) > 0,
            "It is not known from how many runs the authors chose.",
            "If from several, the published number is lower than a run of the same recipe "
            "reads on average, and \u201cnot reached\u201d comes too often.",
        ),
        (
            len(again) > 0,
            "Snapshots were taken at other images than the authors'.",
            "The best of more snapshots reads lower. The best one here is drawn again, so "
            "that its choice does not flatter its number.",
        ),
        (
            (ratios["metric"] == "frechet_distance").any(),
            f"{distance} has a bias, and it is inside every difference in per cent.",
            "Both sides have it, at one number of images: it draws ratios towards 1.",
        ),
    )
    return [(said, reply) for concerns, said, reply in every if concerns]


def _values(records: pd.DataFrame, column: str) -> str:
    return ", ".join(_said(records, column))


def _said(records: pd.DataFrame, column: str) -> list[str]:
    return sorted({str(text) for text in records[column].dropna()} - {""})


def _counts(values: pd.Series) -> str:
    numbers = pd.to_numeric(values, errors="coerce").dropna()
    return " and ".join(f"{n:,.0f}" for n in sorted(set(numbers)))


def _versions(records: pd.DataFrame) -> str:
    pairs = records[["implementation", "implementation_version"]].drop_duplicates()
    return ", ".join(sorted(f"{name} {version}" for name, version in pairs.to_numpy()))


def _notes(records: pd.DataFrame) -> list[str]:
    """What values take for granted of their images and do not find, by whom and which."""
    noted = records[records["note"].fillna("") != ""]
    noted = noted.drop_duplicates(["implementation", "metric", "note"])
    return [
        f"{row['implementation']}, {row['metric']}: {row['note']}"
        for row in noted.to_dict("records")
    ]


def _recipes(trained: pd.DataFrame) -> str:
    """Each recipe with how long it was trained and by which seeds."""
    parts = []
    for name, rows in trained.groupby("recipe", sort=False):
        seeds = sorted(set(rows["run_seed"]))
        word = "seed" if len(seeds) == 1 else "seeds"
        parts.append(f"{name} ({rows['kimg'].max():.4g} kimg, {word} {', '.join(map(str, seeds))})")
    return ", ".join(parts)


def _drawn(records: pd.DataFrame) -> str:
    """How many draws of how many images each role has."""
    words = {"final": "of snapshots", "teacher": "of the teacher", "external": "of checkpoints"}
    parts = []
    for role, word in words.items():
        rows = records[(records["role"] == role) & (records["draw"] > 0)]
        draws = rows["draw"].nunique()
        if draws:
            plural = "draw" if draws == 1 else "draws"
            parts.append(f"{draws} {plural} {word} ({_counts(rows['n_images'])} images each)")
    return ", ".join(parts)


def what_was_run(records: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of a term and what the records say of it, in reading order; no term without a text."""
    roles = {str(role): rows for role, rows in records.groupby("role")}
    trained = records[records["role"].isin(["curve", "final"])]
    curve, external = (roles.get(role, records.head(0)) for role in ("curve", "external"))
    generated = records[records["role"].isin(GENERATED)]
    images = _counts(generated["n_reference"])
    accuracy = pd.to_numeric(records["extractor_accuracy"], errors="coerce").max()
    known = "" if math.isnan(accuracy) else f", held-out accuracy {accuracy:.1%}"
    pairs = [
        ("Data", _values(generated, "dataset") + (f"; {images} real images" if images else "")),
        ("Trained here", _recipes(trained)),
        ("Not trained here", _values(external, "recipe")),
        ("Curves", f"{_counts(curve['n_images'])} images a snapshot" if len(curve) else ""),
        ("Fresh draws", _drawn(records)),
        ("Features", _values(records, "extractor") + known),
        ("Implementations", _versions(records)),
        ("Device", f"{_values(records, 'device')}; PyTorch {_values(records, 'torch')}"),
        ("Commit", _values(records, "git")),
        ("Reference, SHA-256", _values(generated, "reference_sha256")),
        ("Features, SHA-256", _values(records, "extractor_sha256")),
        ("Weights, SHA-256", _values(records, "weights_sha256")),
        *(("Classes", text) for text in _said(records, "labels")),
        *(("Note", text) for text in _notes(records)),
    ]
    return [(term, text) for term, text in pairs if text]


def perfect(bias: Bias | None, sizes: Iterable[int]) -> str:
    """What a perfect generator would read, how that is known, and what it is not.

    Args:
        bias: of the implementation that decides; none makes no sentence.
        sizes: numbers of images.
    """
    if bias is None:
        return ""
    at = [f"{with_error(*bias.perfect(n))} at n = {n:,}" for n in sorted({*sizes}) if n > 0]
    return (
        f"Against {bias.n_reference:,} references, n new images of a perfect generator would read "
        f"b (1/n + 1/{bias.n_reference:,}), b = {with_error(bias.b, bias.stderr)} by "
        f"{bias.freedom + 1} measurements of real images against real images: {' and '.join(at)}. "
        "The distance of any other generator holds about as much bias. A generator that copies the "
        "real images may read less, b/n."
    )
