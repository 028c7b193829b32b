"""What was run, read off the records: the page's numbers that are no table."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from sid.report.tables import BOTH, with_error
from sid.verdict.bias import Bias
from sid.verdict.distances import DECIDES, NAMES, TEACHER_NFE, names_of

VERDICTS = ("holds", "does not hold", "inconclusive", "not run")


class Tile(NamedTuple):
    """One number in large type: what it is, the number, how it came about."""

    name: str
    value: str
    note: str


def _values(records: pd.DataFrame, column: str) -> str:
    return ", ".join(sorted({str(value) for value in records[column]})) or "-"


def _images(records: pd.DataFrame) -> str:
    counts = pd.to_numeric(records["n_reference"], errors="coerce").dropna()
    return ", ".join(f"{n:,.0f}" for n in sorted(set(counts))) or "-"


def _versions(records: pd.DataFrame) -> str:
    pairs = records[["implementation", "implementation_version"]].drop_duplicates()
    return ", ".join(sorted(f"{name} {version}" for name, version in pairs.to_numpy()))


def _said(records: pd.DataFrame, column: str) -> list[str]:
    return sorted({str(text) for text in records[column]} - {""})


def _notes(records: pd.DataFrame) -> list[str]:
    """What values take for granted of their images and do not find, by whom and which."""
    noted = records[records["note"] != ""].drop_duplicates(["implementation", "metric", "note"])
    return [
        f"{row['implementation']}, {row['metric']}: {row['note']}"
        for row in noted.to_dict("records")
    ]


def _trained(records: pd.DataFrame) -> pd.DataFrame:
    return records[records["role"].isin(["curve", "final"])]


def seeds(records: pd.DataFrame) -> int:
    """How many training seeds there are."""
    return int(_trained(records)["run_seed"].nunique())


def what_was_run(records: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of a term and what the records say of it, in reading order."""
    trained = _trained(records)
    longest = trained.groupby("recipe")["kimg"].max()
    lengths = {str(recipe): float(kimg) for recipe, kimg in longest.items()}
    recipes = [f"{name} ({lengths[recipe]:.4g} kimg)" for recipe, name in names_of(lengths).items()]
    accuracy = pd.to_numeric(records["extractor_accuracy"], errors="coerce").max()
    known = "" if math.isnan(accuracy) else f", held-out accuracy {accuracy:.1%}"
    sizes = {}
    for role in ("curve", "final"):
        found = sorted(set(records.loc[records["role"] == role, "n_images"]))
        sizes[role] = ", ".join(f"{n:,}" for n in found) or "-"
    draws = {role: records.loc[records["role"] == role, "draw"] for role in ("final", "teacher")}
    own, teacher = draws["final"].nunique(), draws["teacher"][draws["teacher"] > 0].nunique()
    return [
        ("Data", f"{_values(records, 'dataset')}, {_images(records)} images"),
        ("Recipes", ", ".join(recipes) or "-"),
        (
            "Training seeds",
            ", ".join(map(str, sorted(set(trained["run_seed"])))) or "-",
        ),
        ("Curves", f"{sizes['curve']} images a snapshot, fixed noise"),
        (
            "Final numbers",
            f"{own} fresh draws of {sizes['final']} images, "
            + (f"{teacher} of the teacher" if teacher else "the teacher's on the curves' noise"),
        ),
        ("Features", _values(records, "extractor") + known),
        ("Implementations", _versions(records)),
        ("Device", f"{_values(records, 'device')}; PyTorch {_values(records, 'torch')}"),
        ("Commit", _values(records, "git")),
        ("Data, SHA-256", _values(records, "reference_sha256")),
        ("Features, SHA-256", _values(records, "extractor_sha256")),
        *(("Classes", text) for text in _said(records, "labels")),
        *(("Note", text) for text in _notes(records)),
    ]


def tiles(table: pd.DataFrame) -> list[Tile]:
    """Where each method ends, beside the teacher and a perfect generator at the same n.

    Args:
        table: rows of the main table, as of `sid.report.tables.endings`.
    """
    found = []
    for _, row in table[table["implementation"] == DECIDES].iterrows():
        value = with_error(row["frechet_distance"], row["frechet_distance_stderr"])
        if row["role"] == "final" and row["selection"] in ("last", BOTH):
            name = NAMES.get(row["recipe"], row["recipe"])
            found.append(Tile(name, value, f"1 step, {row['kimg']} kimg"))
        elif row["role"] == "teacher" and row["nfe"] == TEACHER_NFE:
            found.append(Tile("Teacher", value, f"{TEACHER_NFE} evaluations"))
        elif row["role"] == "perfect":
            found.append(Tile("Perfect generator", value, "estimated: the bias"))
    return found


def _degrees(freedom: int) -> str:
    return f"{freedom} degree{'s' if freedom > 1 else ''} of freedom"


def errors(noise: pd.DataFrame, seeds: int, n_images: int) -> str:
    """What the errors of the methods' means are taken over.

    Args:
        noise: as of `sid.report.noise.noise`, of one extractor.
        seeds: training seeds.
        n_images: of a fresh draw.
    """
    if seeds > 1:
        return f"over {seeds} training seeds ({_degrees(seeds - 1)})"
    rows = noise[(noise["kind"] == "redraw") & (noise["n_images"] == n_images)]
    rows = rows[rows["metric"] == "frechet_distance"]
    if rows.empty:
        return "over the images of one draw"
    row = rows.iloc[0]
    return (
        f"from the spread of draws, pooled over {row['sources']} generators "
        f"({_degrees(row['freedom'])})"
    )


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
        "The distance of any other generator holds about as much bias. It is no lower bound: a "
        "generator that repeats the real images reads b/n."
    )


def counts(verdicts: pd.DataFrame) -> str:
    """How the claims fared, in words, such as `9 hold, 2 do not, 2 are inconclusive`."""
    many = {verdict: int((verdicts["verdict"] == verdict).sum()) for verdict in VERDICTS}
    words = {
        "holds": ("holds", "hold"),
        "does not hold": ("does not", "do not"),
        "inconclusive": ("is inconclusive", "are inconclusive"),
        "not run": ("is not run", "are not run"),
    }
    return ", ".join(f"{n} {words[name][n != 1]}" for name, n in many.items() if n)
