"""Records as a person reads them: one line a value, with its interval and where it came from."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy import stats

from sid.errors import printable
from sid.evaluate.metrics import METRICS, label
from sid.evaluate.metrics.jackknife import GROUPS
from sid.evaluate.records import Record

LEVEL = 0.95


class Summary(NamedTuple):
    """One metric of one implementation over all draws.

    Attributes:
        label: for people.
        implementation: whose code.
        value: mean over the draws.
        stderr: its standard error, nan where there is none.
        low: end of the 95 % interval.
        high: its other end.
        basis: what the error is taken over.
    """

    label: str
    implementation: str
    value: float
    stderr: float
    low: float
    high: float
    basis: str


def summarise(records: Sequence[Record]) -> list[Summary]:
    """Mean over draws with a t-interval; of one draw its own error, where over tenths with t."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.metric, record.implementation), []).append(record)
    found = []
    for (metric, implementation), group in groups.items():
        values, one = np.array([record.value for record in group]), group[0]
        known = METRICS.get(metric)
        if len(group) > 1:
            error = float(values.std(ddof=1)) / math.sqrt(len(group))
            reach = float(stats.t.ppf(0.5 + LEVEL / 2, len(group) - 1)) * error
            basis = f"{len(group)} draws"
        else:
            error = math.nan if one.stderr is None else one.stderr
            law = stats.t(GROUPS - 1) if known and known.tenths else stats.norm
            reach = float(law.ppf(0.5 + LEVEL / 2)) * error
            basis = one.stderr_of or "unknown without ours"
        mean = float(values.mean())
        least, most = known.limits if known else (-math.inf, math.inf)
        # The value itself is within, but for the rounding of a distance of nothing.
        ends = min(mean, max(mean - reach, least)), max(mean, min(mean + reach, most))
        found.append(
            Summary(label(metric, one.extractor), implementation, mean, error, *ends, basis)
        )
    return found


def significant(value: float, error: float) -> str:
    """A value to two digits of its error, or to six digits where it is none or below 1e-9."""
    if not math.isfinite(error) or error < 1e-9:
        return f"{value + 0.0:.6g}"  # No minus before a zero.
    text = f"{value:.{max(0, 1 - math.floor(math.log10(error)))}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def show(records: Sequence[Record]) -> None:
    """Print the table and what it was made from to standard output."""
    table = Table(box=None, pad_edge=False, header_style="")
    for name in ("metric", "implementation"):
        table.add_column(name, no_wrap=True)
    for name in ("value", "± error", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("error over", no_wrap=True)
    for row in summarise(records):
        error = significant(row.stderr, row.stderr) if math.isfinite(row.stderr) else "?"
        ends = [significant(end, row.stderr) for end in (row.low, row.high)]
        interval = f"{ends[0]} to {ends[1]}" if math.isfinite(row.stderr) else "?"
        cells = (significant(row.value, row.stderr), error, interval)
        table.add_row(*map(Text, (row.label, row.implementation, *cells, row.basis)))
    Console(width=200, highlight=False, markup=False).print(table, crop=False)
    print()
    for line in provenance(records):
        print(line)


def provenance(records: Sequence[Record]) -> list[str]:
    """What the values were made from, a line each."""
    one = records[0]
    seeds = sorted({record.seed for record in records})
    versions = sorted({f"{r.implementation} {r.implementation_version}" for r in records})
    made: dict[str, set[str]] = {}
    for record in records:
        made.setdefault(record.preprocessing, set()).add(record.implementation)
    shown = [
        text if len(made) == 1 else f"{', '.join(sorted(who))}: {text}"
        for text, who in made.items()
    ]
    weights = sorted({r.extractor_sha256[:12] for r in records})
    count = "moments of unknown n" if one.n_reference is None else f"{one.n_reference} images"
    notes = {f"{r.implementation}, {r.metric}: {r.note}": None for r in records if r.note}
    return [
        f"generated  {printable(one.generated)}, {one.n_images} images, "
        f"{one.generated_sha256[:12]}, seeds {', '.join(map(str, seeds))}",
        *([f"classes    {one.labels}"] if one.labels else []),
        f"reference  {printable(one.dataset)}, {count}, {one.reference_sha256[:12]}",
        f"extractor  {one.extractor}, weights {', '.join(weights)}",
        *(f"images     {text}" for text in shown),
        *(f"note       {text}" for text in notes),
        f"code       {', '.join(versions)}, torch {one.torch}, git {one.git[:12]}",
        f"machine    {one.device}, {one.threads} threads, float32 without TF32, moments in float64",
    ]
