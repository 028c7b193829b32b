"""The agreement of implementations for people: tables, a few sentences, one Markdown sheet."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sid.errors import UserError
from sid.evaluate.metrics import label
from sid.evaluate.records import once
from sid.evaluate.table import significant
from sid.report.agreement import (
    EQUAL,
    ROUNDING,
    TOLERANCE,
    UNEXPLAINED,
    agreement_table,
    differences,
)
from sid.report.agreement_figure import legend
from sid.report.labels import number
from sid.report.naming import first_ours
from sid.report.noise import noise
from sid.report.tables import to_markdown

KINDS = {
    "redraw": "one draw of a generator to the next",
    "error": "standard error of one value",
    "halves": "one half of the real images against the other",
    "redrawn": "real images drawn again with replacement, against all",
}


class Agreement(NamedTuple):
    """How far implementations agree, beside the noise of what they measure.

    Attributes:
        found: as of `sid.report.agreement.differences`.
        noise: as of `sid.report.noise.noise`.
        table: as of `sid.report.agreement.agreement_table`.
        ways: what each implementation does with the images, for people.
    """

    found: pd.DataFrame
    noise: pd.DataFrame
    table: pd.DataFrame
    ways: pd.DataFrame


def agree(records: pd.DataFrame) -> Agreement:
    """The agreement in records as of `sid.evaluate.records`; empty where there is none.

    The same images count once, whatever they were drawn for.
    """
    found, spreads = differences(once(records)), noise(records)
    return Agreement(found, spreads, agreement_table(found, spreads), described(records))


def readable_agreement(table: pd.DataFrame) -> pd.DataFrame:
    """The agreement table for people."""
    shown = pd.DataFrame(index=table.index)
    shown["Metric"] = [label(*names) for names in table[["metric", "extractor"]].to_numpy()]
    shown["Implementations"] = table["first"] + " \N{MIDDLE DOT} " + table["second"]
    shown["Sets"] = table["sets"]
    for name, column in (("Median", "relative_median"), ("Greatest", "relative_max")):
        shown[f"{name} difference"] = [_power(value) for value in table[column]]
    shown["In standard errors"] = [_power(value) for value in table["errors_max"]]
    shown["In redraws"] = [_power(value) for value in table["redraws_max"]]
    shown["Reason"] = table["reason"]
    return shown


def described(records: pd.DataFrame) -> pd.DataFrame:
    """What each implementation does with the images, for people; one row for each way."""
    columns = {
        "implementation": "Implementation",
        "implementation_version": "Version",
        "extractor": "Extractor",
        "extractor_sha256": "Weights",
        "preprocessing": "Preprocessing",
        "divisor": "Divisor",
    }
    rows = records[list(columns)].drop_duplicates()
    rows = rows.assign(extractor_sha256=rows["extractor_sha256"].str[:12])
    rows = rows.sort_values("implementation", key=lambda names: names.map(first_ours))
    return rows.rename(columns=columns).reset_index(drop=True)


def _power(value: float) -> str:
    """`1.4e-06`, `0.25`, `13`; `-` for none."""
    if np.isnan(value):
        return "-"
    return f"{value:.2g}" if value == 0 or value >= 0.01 else f"{value:.1e}"


def readable_noise(table: pd.DataFrame) -> pd.DataFrame:
    """The noise for people."""
    shown = pd.DataFrame(index=table.index)
    shown["Metric"] = [label(*names) for names in table[["metric", "extractor"]].to_numpy()]
    shown["Noise"] = table["kind"].map(KINDS)
    shown["n"] = [f"{n:,}" for n in table["n_images"]]
    shown["Draws"] = [
        f"{draws} of {sources} generators" if draws > sources > 1 else str(draws)
        for draws, sources in table[["draws", "sources"]].to_numpy()
    ]
    pairs = table[["value", "relative"]].to_numpy(float)
    shown["Value"] = [_plus_minus(value, abs(value) * relative) for value, relative in pairs]
    shown["Spread"] = [_percent(relative) for _, relative in pairs]
    shown["Degrees"] = [str(freedom) if freedom else "-" for freedom in table["freedom"]]
    return shown


def _plus_minus(value: float, spread: float) -> str:
    text = significant(value, spread)
    known = np.isfinite(spread) and spread > 0
    return f"{text} \N{PLUS-MINUS SIGN} {significant(spread, spread)}" if known else text


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{number(100 * share)} %"


def summary(agreement: Agreement) -> list[str]:
    """A sentence for each metric: by how much its pairs differ, why, and beside which noise."""
    sentences = []
    table = agreement.table
    for metric, extractor in table[["metric", "extractor"]].drop_duplicates().to_numpy():
        rows = table[(table["metric"] == metric) & (table["extractor"] == extractor)]
        alike = rows["reason"].isin([EQUAL, ROUNDING])
        unexplained = rows["reason"] == UNEXPLAINED
        parts = [
            f"{_pairs(chosen)} {words}{_at_most(chosen)}"
            for chosen, words in (
                (rows[alike], "by rounding alone"),
                (rows[~alike & ~unexplained], "for a known reason"),
                (rows[unexplained], f"beyond {TOLERANCE:.0e} without a known reason"),
            )
            if len(chosen)
        ]
        of = agreement.noise["metric"].eq(metric) & agreement.noise["extractor"].eq(extractor)
        redraw = agreement.noise[of & agreement.noise["kind"].eq("redraw")]
        beside = [
            f"{_percent(relative)} at n = {n:,.0f}"
            for relative, n in redraw[["relative", "n_images"]].to_numpy(float)
        ]
        tail = f"; one draw differs from the next by {', '.join(beside)}" if beside else ""
        sentences.append(f"{label(metric, extractor)}: {', '.join(parts)}{tail}.")
    return sentences


def _pairs(rows: pd.DataFrame) -> str:
    return f"{len(rows)} pair{'s differ' if len(rows) > 1 else ' differs'}"


def _at_most(rows: pd.DataFrame) -> str:
    if rows["relative_max"].notna().any():
        return f" (at most {_power(rows['relative_max'].max())})"
    return f" (at most {_power(rows['errors_max'].max())} standard errors)"


def sheet(agreement: Agreement) -> str:
    """One Markdown page with the figure `agreement.svg` that lies beside it.

    Raises:
        UserError: the records hold no two implementations on the same images.
    """
    if agreement.table.empty:
        raise UserError(
            "the records hold no two implementations on the same images; "
            "ask `sid evaluate` for several with --implementations"
        )
    bullets = "\n".join(f"- {sentence}" for sentence in summary(agreement))
    parts = [
        "# Agreement of implementations",
        bullets,
        "![Relative differences on the same images](agreement.svg)",
        legend(agreement.found, agreement.noise),
        "A difference is a share of the larger value, also in combined standard errors and in the "
        "relative spread from one draw of a generator to the next (redraws).",
        to_markdown(readable_agreement(agreement.table)),
        "## Noise",
        to_markdown(readable_noise(agreement.noise)),
        "## What each one does",
        to_markdown(agreement.ways),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"
