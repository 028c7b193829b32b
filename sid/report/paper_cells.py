"""The papers' tables for people: one look as Markdown, HTML and LaTeX with booktabs."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup
from pandas.io.formats.style import Styler

from sid.evaluate.metrics import INCEPTION, label
from sid.report.labels import figures, letters
from sid.report.ours import OURS, SHOWN
from sid.report.papers import FEW, best, shown_first, unverified
from sid.report.tables import to_markdown

BOLD, GREY = "font-weight: bold", "color: gray"
LEGEND = (
    f"Bold: the best verified value of a column among generators of at most {FEW} evaluations. "
    "Grey: unverified; decides nothing, and is never bold, however good."
)


class Cells(NamedTuple):
    """A table as it is printed.

    Attributes:
        text: the cells.
        style: of each, in CSS, empty or of `BOLD` and `GREY`.
        first: which rows a page shows at once, as of `shown_first`.
        notes: what stands below, one for each mark `(a)`, `(b)`, ... in the cells.
    """

    text: pd.DataFrame
    style: pd.DataFrame
    first: pd.Series
    notes: list[str]


def cells(table: pd.DataFrame) -> Cells:
    """The table for people.

    Args:
        table: as of `sid.report.papers.paper_table`.
    """
    text = pd.DataFrame({"Family": table["family"], "Method": table["method"]})
    text["Evaluations"] = table["nfe"]
    style = pd.DataFrame("", index=table.index, columns=text.columns)
    notes: list[str] = []
    bold, grey = best(table), unverified(table)
    extractor = str(table["extractor"].iloc[0]) if len(table) else ""
    for metric in SHOWN:
        name = label(metric, extractor).removesuffix(f" ({INCEPTION})")
        for kind, words in {"published": "published", **OURS}.items():
            column = f"{metric}_{kind}"
            if column not in table:
                continue
            if kind == "published":
                shown = _published(table, metric, name, notes)
            else:
                shown = [_ours(row, column) for row in table.to_dict("records")]
            head = f"{name}, {words}"
            text[head] = shown
            style[head] = bold[column].map({True: BOLD, False: ""})
            style[head] += grey[column].map({True: GREY, False: ""})
    return Cells(text, style, shown_first(table), notes)


def _published(table: pd.DataFrame, metric: str, name: str, notes: list[str]) -> list[str]:
    shown = []
    for row in table.to_dict("records"):
        text, note = row[f"{metric}_published"], row.get(f"{metric}_note")
        if isinstance(text, str) and isinstance(note, str) and note:
            mark = letters(len(notes))
            notes.append(f"({mark}) {row['method']}, {name}: {note}")
            text = f"{text} ({mark})"
        shown.append(text if isinstance(text, str) else "")
    return shown


def _ours(row: Mapping[Any, Any], column: str) -> str:
    value, low, high = (
        float(str(row.get(f"{column}{part}", math.nan) or math.nan))
        for part in ("", "_low", "_high")
    )
    if not math.isfinite(value):
        return ""
    text = figures(value)
    if math.isfinite(low):
        text += f" ({figures(low)} to {figures(high)})"
    verdict = row.get(f"{column}_verdict")
    return f"{text}, {verdict}" if isinstance(verdict, str) and verdict else text


def styled(shown: Cells) -> Styler:
    """The table as a pandas Styler, bold and grey by CSS: `to_html` is for a page."""
    return shown.text.style.hide(axis="index").apply(lambda _: shown.style, axis=None)


def papers_markdown(shown: Cells) -> str:
    """The table in Markdown: bold, and italic for what is grey."""
    text = shown.text.copy()
    for column in text.columns:
        for mark, around in ((GREY, "*"), (BOLD, "**")):
            on = shown.style[column].str.contains(mark) & (text[column] != "")
            text[column] = text[column].where(~on, around + text[column] + around)
    legend = LEGEND.replace("Grey", "Italic")
    return "\n".join([to_markdown(text), legend, *(f"\n{note}" for note in shown.notes), ""])


def papers_html(shown: Cells) -> pd.DataFrame:
    """The rows that are shown at once, with cells that are HTML.

    `attrs["notes"]` has the legend and the notes, and `attrs["rest"]` the other rows, if any.
    """
    frame = shown.text.copy()
    tags = {BOLD: Markup("<strong>{}</strong>"), GREY: Markup('<i class="unverified">{}</i>')}
    for column in frame:
        frame[column] = [
            tags[style].format(cell) if style in tags and cell else cell
            for cell, style in zip(frame[column], shown.style[column], strict=True)
        ]
    first, rest = frame[shown.first], frame[~shown.first]
    first.attrs = {"notes": [LEGEND.replace("Grey", "Italic"), *shown.notes]}
    if len(rest):
        first.attrs["rest"] = rest
    return first


def to_latex(shown: Cells, caption: str) -> str:
    """The table in LaTeX: booktabs, and longtable so that it may go over a page.

    It needs the packages booktabs, longtable and xcolor. A family stands once, above a rule.

    Args:
        shown: as of `cells`.
        caption: in plain text.
    """
    family = shown.text["Family"]
    first = family.ne(family.shift())
    once = shown._replace(text=shown.text.assign(Family=family.where(first, "")))
    # A metric stands once above its columns.
    names = [str(name) for name in once.text]
    heads = pd.MultiIndex.from_tuples(
        [tuple(name.rsplit(", ", 1)) if ", " in name else ("", name) for name in names]
    )
    once.text.columns = heads
    once = once._replace(style=once.style.set_axis(heads, axis="columns"))
    plain = styled(once).format(escape="latex").format_index(escape="latex", axis=1)
    text: str = plain.to_latex(
        environment="longtable",
        hrules=True,
        convert_css=True,
        multicol_align="c",
        column_format="ll" + "r" * (len(shown.text.columns) - 2),
        caption=escape(caption),
    )
    head, end, body = text.partition("\\endlastfoot\n")
    lines = body.splitlines()
    for place in reversed([place for place, new in enumerate(first) if new and place]):
        lines.insert(place, r"\midrule")
    notes = [escape(line) for line in (LEGEND, *shown.notes)]
    below = "\n\n".join(rf"\noindent {{\footnotesize {note}}}" for note in notes)
    return (
        f"{{\\scriptsize\\setlength{{\\tabcolsep}}{{4pt}}\n{head}{end}"
        + "\n".join(lines)
        + f"\n}}\n\n{below}\n"
    )


def escape(text: str) -> str:
    """Plain text for LaTeX."""
    frame = pd.DataFrame({"text": [text]})
    line: str = frame.style.format(escape="latex").hide(axis="index").to_latex()
    return line.splitlines()[2].removesuffix(r" \\")
