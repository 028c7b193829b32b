"""From the records of a folder to verdicts and a page."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sid.evaluate.merging import merge_records
from sid.evaluate.records import load_table
from sid.report.command import write_report
from sid.verdict.claim import Claims
from sid.verdict.command import write_verdicts
from sid.verdict.verdict import Verdict
from sid.verify.subjects import published


def judged(
    folder: Path, pages: Path, claims: Claims, asked: Sequence[str]
) -> tuple[list[Verdict], pd.DataFrame, Path]:
    """Merge all records of a folder, judge what they are about, and write the page.

    Args:
        folder: with a JSON for each subject; `records.csv` and `verdict/` are written here.
        pages: folder of the page.
        claims: of the tables.
        asked: names of claims that are judged also where records lack them.

    Returns:
        The verdicts, the records, and the page.

    Raises:
        UserError: two files contradict each other.
    """
    records = folder / "records.csv"
    merge_records(sorted(folder.glob("*.json")), records)
    table = load_table(records)
    there = set(table["recipe"])
    names = [
        claim.name
        for subject, group in published(claims).items()
        for claim in group
        if subject in there or claim.name in asked
    ]
    verdicts = write_verdicts(records, folder / "verdict", names)
    page = write_report(records, folder / "verdict", None, None, pages)
    return verdicts, table, page
