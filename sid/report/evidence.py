"""Everything that stands behind a verdict, as pairs of a term and what is known."""

import math
from collections.abc import Mapping
from typing import Any

from sid.evaluate.metrics import label
from sid.report.forest import apart, compared, percent
from sid.report.labels import number
from sid.verdict.claim import TEACHER

Row = Mapping[str, Any]
MINUS = "\N{MINUS SIGN}"


def figure(row: Row, value: float) -> str:
    """A figure or a limit as it is shown: a difference in per cent, or a number."""
    return percent(value) if compared(row) else number(value).replace("-", MINUS)


def interval(row: Row, low: str = "low", high: str = "high") -> str:
    """A verdict's limits for people; empty where there are none."""
    if not (math.isfinite(row[low]) and math.isfinite(row[high])):
        return ""
    if compared(row):
        first, last = apart(row[low], row[high])
    else:
        first, last = figure(row, row[low]), figure(row, row[high])
    if last.endswith(" times") and first.endswith(" %"):  # One unit for both ends.
        first = f"{number(row[low])} times"
    for unit in (" %", " times"):  # A unit that both have is said once.
        if first.endswith(unit) and last.endswith(unit):
            first = first.removesuffix(unit)
    return f"{first} to {last}"


def share(value: float) -> str:
    """A share in per cent, such as `2.1 %`; empty where it is not known."""
    return f"{number(100 * value)} %".replace("-", MINUS) if math.isfinite(value) else ""


def evidence(row: Row) -> list[tuple[str, str]]:
    """What a verdict rests on, in reading order; what is not known is left out.

    Args:
        row: of `verdicts.csv`, with the fields of `sid.verdict.verdict.Verdict`.
    """
    pairs = [
        ("In short", sentence(row["reason"])),
        ("Published", _published(row)),
        ("Claimed in", row["source"]),
        ("Found", _reproduced(row)),
        ("Measured as", _measured(row)),
        ("It is about", row["scope"]),
        ("Runs and draws", _units(row)),
        ("Spread", _spread(row)),
        ("Interval", _with(interval(row), f" ({share(row['level'])})")),
        ("Of a new run or evaluation", interval(row, "new_low", "new_high")),
        _smallest(row),
        ("Criterion", _criterion(row)),
        ("Test that it is broken", _test(row["p_value"], row["p_holm"])),
        ("Test that it is kept", _test(row["p_kept"], row["p_kept_holm"])),
        ("What would change it", sentence(row["changes"])),
        ("Records", row["records"]),
    ]
    return [(term, text) for term, text in pairs if text]


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _with(text: str, suffix: str) -> str:
    return text + suffix if text else ""


def _published(row: Row) -> str:
    if not row["published_text"]:
        return ""
    kind = row["published_of"] if row["published_of"] != "unknown" else "of unknown kind"
    grade = f"source graded {row['evidence']}" if row["evidence"] else ""
    decides = ", which decides nothing" if row["evidence"] == "unverified" else ""
    return f"{row['published_text']} ({', '.join(filter(None, (kind, grade)))}{decides})"


def _reproduced(row: Row) -> str:
    value = f"{row['reproduced']:.4g}" if math.isfinite(row["reproduced"]) else ""
    shown = figure(row, row["value"]) if math.isfinite(row["value"]) else ""
    compares = _with(shown, f" ({row['figure']})" if row["figure"] else "")
    return "; ".join(filter(None, (value, compares)))


def _measured(row: Row) -> str:
    if not row["metric"]:
        return ""
    images = f"{row['n_images']:,} images" if row["n_images"] else ""
    data = f"on {row['dataset']}" if row["dataset"] else ""
    by = f"by {row['implementation']}" if row["implementation"] else ""
    named = label(row["metric"], row["extractor"]) if row["extractor"] else row["metric"]
    return ", ".join(filter(None, (named, data, images, by)))


def _units(row: Row) -> str:
    runs = f"N = {row['runs']} {'run' if row['runs'] == 1 else 'runs'}" if row["runs"] else ""
    draws = f"K = {row['draws']} {'draw' if row['draws'] == 1 else 'draws'}" if row["draws"] else ""
    return ", ".join(filter(None, (runs, draws)))


def _spread(row: Row) -> str:
    runs = _with(share(row["run_sd"]), " from run to run")
    draws = _with(share(row["redraw_sd"]), " from draw to draw")
    return _with(", ".join(filter(None, (runs, draws))), ", one standard deviation")


def _smallest(row: Row) -> tuple[str, str]:
    """The least that would keep the claim, in the unit of its criterion."""
    needed = row["needed_margin"]
    if row["kind"] == "ranking":
        other = "the teacher" if row["against"] == TEACHER else row["against"]
        factor = f"{1 + needed:.4g} times the value of {other}"
        return "Smallest bound that keeps it", factor if math.isfinite(needed) else ""
    unit = "of the slope" if row["kind"] == "power-law" else "of the published value"
    return "Smallest margin that keeps it", _with(share(needed), f" {unit}")


def _criterion(row: Row) -> str:
    fixed = f"Fixed by commit {row['fixed']}." if row["fixed"] else ""
    changed = f"Changed after an outcome had been committed: {row['changed']}"
    parts = (sentence(row["criterion"]), fixed, sentence(changed) if row["changed"] else "")
    return " ".join(filter(None, parts))


def _test(p: float, holm: float) -> str:
    if not math.isfinite(p):
        return ""
    corrected = f"; {_p(holm)} by Holm, for all tests of this page" if math.isfinite(holm) else ""
    return _p(p) + corrected


def _p(value: float) -> str:
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.2g}"
