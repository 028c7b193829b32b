"""Records: one metric value with everything needed to believe it."""

from pathlib import Path
from typing import Literal

import pandas as pd
from pandas.api.types import is_numeric_dtype
from pydantic import BaseModel, ConfigDict, ValidationError

from sid.errors import UserError
from sid.files import read_json, read_table, write_atomic, write_json

ONE_MEASUREMENT = (
    *("role", "recipe", "seed", "images", "selection", "nfe", "n_images", "draw"),
    *("implementation", "extractor", "metric"),
)
Role = Literal["curve", "final", "teacher", "floor"]
Selection = Literal["", "last", "best"]


class Record(BaseModel):
    """One value of one metric.

    Attributes:
        role: `curve` (each snapshot, one fixed noise), `final` (fresh draws of a selected
            snapshot), `teacher` (the teacher at `nfe` evaluations), `floor` (real against real).
        dataset: name of the reference images.
        method: method of the run, `teacher` or `real`.
        recipe: recipe of the run.
        seed: training seed, -1 where nothing was trained.
        images: images seen in training by the generator (`kimg` = images / 1000).
        iterations: updates of the generator.
        selection: how a `final` snapshot was chosen: `last`, or `best` by the curve.
        nfe: network evaluations per sample.
        implementation: `ours`, `torch-fidelity`, `clean-fid`.
        implementation_version: of that library.
        extractor: name of the feature extractor; a distance is named after it.
        extractor_sha256: of its weights.
        extractor_accuracy: its held-out accuracy, a share.
        metric: `frechet_distance`, `kernel_distance` or `inception_score`.
        value: the value.
        stderr: its standard error where the implementation gives one.
        n_images: generated images.
        n_reference: real images.
        reference_sha256: of the data set's file.
        draw: which draw; 0 is the fixed noise of the curves.
        sample_seed: sample i was made from (sample_seed, i).
        seconds: time the implementation took for all metrics of this draw.
        device, torch, git: what computed it.
    """

    model_config = ConfigDict(extra="forbid")

    role: Role
    dataset: str
    method: str
    recipe: str
    seed: int
    images: int
    kimg: float
    iterations: int
    selection: Selection = ""
    nfe: int
    implementation: str
    implementation_version: str
    extractor: str
    extractor_sha256: str
    extractor_accuracy: float
    metric: str
    value: float
    stderr: float | None = None
    n_images: int
    n_reference: int
    reference_sha256: str
    draw: int
    sample_seed: int
    seconds: float
    device: str
    torch: str
    git: str


def write_records(path: Path, records: list[Record]) -> None:
    """Write one evaluation's records as `{"records": [...]}`, atomically."""
    write_json(path, {"records": [record.model_dump() for record in records]})


def read_records(path: Path) -> list[Record]:
    """The records of one evaluation.

    Raises:
        UserError: not such a file, or a field is missing, unknown or of a wrong type.
    """
    value = read_json(path)
    if not isinstance(value, dict) or not isinstance(value.get("records"), list):
        raise UserError(f"{path}: holds no `records`; delete it and evaluate again")
    try:
        return [Record.model_validate(item) for item in value["records"]]
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {key}: {first['msg']}; evaluate again") from error


def merge_records(paths: list[Path], out: Path) -> pd.DataFrame:
    """Merge the files of all evaluations into one table, sorted and one row per value.

    Args:
        paths: files written by `write_records`.
        out: the CSV to write.

    Returns:
        The table.
    """
    rows = [record.model_dump() for path in sorted(paths) for record in read_records(path)]
    table = pd.DataFrame(rows, columns=list(Record.model_fields))
    refuse_twice(table, out)
    write_atomic(out, lambda temporary: table.to_csv(temporary, index=False))
    return table


def refuse_twice(table: pd.DataFrame, path: Path) -> None:
    """A value that stands twice would count twice, and narrow every interval.

    Raises:
        UserError: two rows are of one measurement.
    """
    twice = table[table.duplicated(list(ONE_MEASUREMENT))]
    if len(twice):
        row = twice.iloc[0]
        raise UserError(
            f"{path}: {row['recipe']} seed {row['seed']} at {row['images']} images, draw "
            f"{row['draw']}, stands twice; merge each evaluation once"
        )


def load_table(path: Path) -> pd.DataFrame:
    """The merged table.

    Raises:
        UserError: the file is missing or lacks a column.
    """
    mend = "make it with `sid evaluate merge`"
    table = read_table(path, mend, na_values={"stderr": [""]})
    missing = [name for name in Record.model_fields if name not in table.columns]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]}; merge the evaluations again")
    for name, field in Record.model_fields.items():
        if field.annotation in (int, float) and not is_numeric_dtype(table[name]) and len(table):
            wrong = table[name][pd.to_numeric(table[name], errors="coerce").isna()].iloc[0]
            raise UserError(f"{path}: column {name}: {wrong!r} is no number; {mend}")
    refuse_twice(table, path)
    return table
