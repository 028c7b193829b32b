"""The summary of the ML Reproducibility Challenge, filled in from records and verdicts."""

import math
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from sid.files import write_text
from sid.verdict.published import GRADES
from sid.verdict.verdict import BROKEN, KEPT

TEMPLATES = Path(__file__).parent / "templates"
# A last snapshot that is also the best has rows of both, of the same images.
ONE_SET = ("recipe", "run_seed", "images", "nfe", "n_images", "draw", "generated_sha256", "dataset")


def write_summary(records: pd.DataFrame, verdicts: pd.DataFrame, path: Path) -> None:
    """Write the summary as Markdown.

    What a person alone can know is left to be written, and marked so.

    Args:
        records: as a table.
        verdicts: as of `sid.verdict.verdict.to_table`.
        path: the file.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["number"] = _number
    template = environment.get_template("summary.md.j2")
    write_text(path, template.render(**_known(records), **_judged(verdicts)))


def _known(records: pd.DataFrame) -> dict[str, Any]:
    """What the records say of how they were made."""
    seeds = records[records["role"] == "final"].groupby("recipe")["run_seed"].nunique()
    # An implementation notes the time of all metrics of one set of images with each of them.
    timed = records.drop_duplicates([*ONE_SET, "implementation"])
    names = records["implementation"] + " " + records["implementation_version"]
    return {
        "values": len(records),
        "sets": len(records.drop_duplicates(list(ONE_SET))),
        "datasets": _listed(records.loc[records["role"] != "halves", "dataset"]),
        "runs": ", ".join(f"{name} ({count})" for name, count in seeds.items()) or "none",
        "extractors": _listed(records["extractor"]),
        "implementations": _listed(names),
        "devices": _listed(records["device"]),
        "torch": _listed(records["torch"]),
        "commits": _listed(records["git"].str[:12]),
        "hours": float(timed["seconds"].sum()) / 3600,
    }


def _judged(verdicts: pd.DataFrame) -> dict[str, Any]:
    """The verdicts, and the claims that they decide and leave open."""
    rows = verdicts.assign(reason=verdicts["reason"].str.rstrip(".")).to_dict("records")
    closed = (*KEPT, *BROKEN)
    outcomes: dict[str, list[Any]] = {row["verdict"]: [] for row in rows}
    for row in rows:
        outcomes[row["verdict"]].append(row)
    weak = [row["claim"] for row in rows if not GRADES.get(row["evidence"], True)]
    return {
        "judged": rows,
        "subjects": _listed(verdicts["subject"]) or "none",
        "outcomes": list(outcomes.items()),
        "decided": [row for row in rows if row["verdict"] in closed],
        "left": [row for row in rows if row["verdict"] not in closed],
        "unverified": ", ".join(f"`{claim}`" for claim in weak),
    }


def _listed(column: "pd.Series[Any]") -> str:
    return ", ".join(sorted({str(value) for value in column if value}))


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"
