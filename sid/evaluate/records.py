"""Records: one metric value with everything needed to believe it."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from sid.config import recipe_files
from sid.errors import UserError, printable
from sid.files import read_json, read_table, write_json

# What tells one measurement from another, beside what `measurements` adds; no path is in it.
ONE_MEASUREMENT = (
    *("role", "recipe", "run_seed", "images", "selection", "nfe", "n_images", "draw", "labels"),
    *("dataset", "implementation", "extractor", "preprocessing", "metric"),
)
Role = Literal["curve", "final", "teacher", "redrawn", "halves", "sample", "external"]
LATER = ("labels", "note", "weights_sha256")  # Tables from before have no such columns.
OPTIONAL = ("stderr", "n_reference", "extractor_accuracy")
NUMBERS = (int, float)
# What a record says of where its images came from, and how long they took to measure.
ORIGIN = (
    *("role", "generated", "method", "recipe", "run_seed", "images", "kimg", "iterations"),
    *("selection", "nfe", "seconds", "weights_sha256"),
)
RESERVED = ("teacher", "real")
Selection = Literal["", "last", "best"]


class Record(BaseModel):
    """One value of one metric.

    Attributes:
        role: `curve` (each snapshot, one fixed noise), `final` (fresh draws of a selected
            snapshot), `teacher` (the teacher at `nfe` evaluations), `redrawn` (real images drawn
            again with replacement, against all), `halves` (one half of them against the other),
            `sample` (what `sid evaluate GEN REF` was given), `external` (a generator that was not
            trained here, under the name in `recipe`: a published checkpoint, or anybody's own).
        dataset: name of the reference.
        generated: what was measured, as the user named it.
        generated_sha256: of the images' bytes, or of the file or folder that held them.
        weights_sha256: of the network's file as it was published or written; empty for images.
        method: method of the run, `teacher` or `real`.
        recipe: recipe of the run.
        run_seed: training seed, -1 where nothing was trained.
        images: images seen in training by the generator (`kimg` = images / 1000).
        iterations: updates of the generator.
        selection: how a `final` snapshot was chosen: `last`, or `best` by the curve. One that is
            both has rows of both, with the same values; `once` counts them once.
        nfe: network evaluations per sample, 0 where that is not known.
        metric: as in `METRICS`; a distance is named after its extractor.
        extractor: name of the feature extractor; only `inception-2015` makes an FID.
        extractor_sha256: of the weights that the features came from.
        extractor_accuracy: held-out accuracy of a classifier trained here, a share.
        preprocessing: what is done to the images before the network, and by whom.
        implementation: whose code: `ours`, `torch-fidelity`, `clean-fid`, `nvidia`, ...
        implementation_version: of that library.
        divisor: of the generated images' covariance.
        value: the value.
        stderr: its standard error, where there is one.
        stderr_of: what the error is taken over.
        n_images: generated images.
        n_reference: real images; None where only their moments are known.
        reference_sha256: of the reference's file or folder.
        labels: how the classes were drawn of which the images were made, empty without classes.
        note: what is not as the metric's protocol takes it to be, empty if nothing.
        draw: which draw; 0 is the fixed noise of the curves.
        seed: of the draw: sample i was made from (seed, i); so were subsets and shuffles.
        seconds: time the implementation took for all metrics of this draw.
        device, torch, git, threads: what computed it.
    """

    model_config = ConfigDict(extra="forbid")

    role: Role
    dataset: str
    generated: str = ""
    generated_sha256: str = ""
    weights_sha256: str = ""
    method: str = ""
    recipe: str = ""
    run_seed: int = -1
    images: int = 0
    kimg: float = 0.0
    iterations: int = 0
    selection: Selection = ""
    nfe: int = 0
    metric: str
    extractor: str
    extractor_sha256: str
    extractor_accuracy: float | None = None
    preprocessing: str = "none"
    implementation: str
    implementation_version: str
    divisor: str = "N-1"
    value: float
    stderr: float | None = None
    stderr_of: str = ""
    n_images: int
    n_reference: int | None
    reference_sha256: str
    labels: str = ""
    note: str = ""
    draw: int
    seed: int
    seconds: float
    device: str
    torch: str
    git: str
    threads: int = 1

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: Any) -> Any:
        """A name may hold bytes that are no UTF-8, and a CSV may not."""
        return printable(value) if isinstance(value, str) else value


def check_external(name: str, seed: int) -> None:
    """See that a generator that was not trained here can go by a name.

    Its draws are numbered from 1 and are of the seed that is their number, as those of all others
    are, so that they are paired with these.

    Args:
        name: that takes the place of a recipe's.
        seed: that was asked for.

    Raises:
        UserError: the name is none for a table, or one of the suite; or a seed was asked for.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,99}", name, re.ASCII):
        raise UserError(f"--as {name}: a name has letters, digits and . _ + - only")
    if name in RESERVED or name in recipe_files():
        raise UserError(
            f"--as {name}: is a name of the suite; take another, or measure a published file with "
            "`sid verify`"
        )
    if seed:
        raise UserError("--seed: draws of a named generator are of the seeds 1, 2, ...; drop it")


def write_records(path: Path, records: list[Record], **about: Any) -> None:
    """Write one evaluation's records as `{"records": [...]}`, atomically.

    Args:
        path: the file.
        records: of the evaluation.
        **about: what stands beside them, which `read_records` passes over.
    """
    write_json(path, {"records": [record.model_dump() for record in records], **about})


def read_records(path: Path) -> list[Record]:
    """The records of one evaluation.

    Raises:
        UserError: not such a file, or a field is missing, unknown or of a wrong type.
    """
    value = read_json(path)
    if not isinstance(value, dict) or not isinstance(value.get("records"), list):
        raise UserError(f"{path}: holds no `records`; delete it and evaluate again")
    return [record_of(item, path) for item in value["records"]]


def record_of(row: Any, path: Path) -> Record:
    """One record of a file.

    Raises:
        UserError: a field is missing, unknown or of a wrong type.
    """
    try:
        return Record.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {key}: {first['msg']}; evaluate again") from error


def measurements(table: pd.DataFrame) -> pd.DataFrame:
    """What each row is a measurement of: equal rows are of one measurement, wherever it was made.

    Runs, teachers and published generators go by recipe, training seed and draw. Images that were
    given have no such name and go by their bytes; real images go by their data set.

    Args:
        table: records as a table.
    """
    real = table["role"].isin(("redrawn", "halves"))
    given = table["generated_sha256"] + " " + table["seed"].astype(str)
    which = table["generated"].where(real, "").mask(table["role"] == "sample", given)
    return table[list(ONE_MEASUREMENT)].assign(which=which)


def described(row: Mapping[Hashable, Any]) -> str:
    """A measurement in words."""
    what = row["recipe"] or row["generated"]
    at = f" seed {row['run_seed']} at {row['images']} images" if row["run_seed"] >= 0 else ""
    return f"{what}{at}, draw {row['draw']}, {row['metric']} by {row['implementation']}"


def refuse_twice(table: pd.DataFrame, path: Path) -> None:
    """A value that stands twice would count twice, and narrow every interval.

    Raises:
        UserError: two rows are of one measurement.
    """
    twice = table[measurements(table).duplicated()]
    if len(twice):
        row = described(twice.iloc[0].to_dict())
        raise UserError(f"{path}: {row}: stands twice; make the table with `sid merge`")


def once(table: pd.DataFrame) -> pd.DataFrame:
    """Each measurement of the same images once, where values are pooled or counted.

    A run whose last snapshot is also its best has rows of both; runs from one teacher share their
    undistilled images, and snapshots of a generator that is still frozen are alike.

    Args:
        table: records as a table.

    Returns:
        The first row of those that are equal in all but their origin.
    """
    return table.drop_duplicates([name for name in Record.model_fields if name not in ORIGIN])


def _refuse_impossible(table: pd.DataFrame, path: Path, mend: str) -> None:
    """What no evaluation writes, and what would be passed over in silence.

    Raises:
        UserError: there is no record, one of an unknown role, or one of no images.
    """
    if table.empty:
        raise UserError(f"{path}: holds no records; {mend}")
    strange = table["role"][~table["role"].isin(get_args(Role))]
    if len(strange):
        raise UserError(f"{path}: column role: {strange.iloc[0]!r} is unknown; {mend}")
    if (table["n_images"] < 1).any():
        raise UserError(f"{path}: column n_images: {table['n_images'].min()} is none; {mend}")


def load_table(path: Path) -> pd.DataFrame:
    """The merged table.

    Raises:
        UserError: the file is missing or damaged, or lacks a column.
    """
    mend = "make it with `sid merge`"
    if path.suffix == ".json":
        merge = f"sid merge {path} --out {path.with_suffix('.csv')}"
        raise UserError(f"{path}: is JSON, and a merged table was expected; make one: {merge}")
    numbers = [name for name, field in Record.model_fields.items() if field.annotation in NUMBERS]
    texts = dict.fromkeys(set(Record.model_fields) - {*numbers, *OPTIONAL}, str)
    empty = {name: [""] for name in OPTIONAL}
    table = read_table(path, mend, dtype=texts, na_values=empty)
    table = table.assign(**{name: "" for name in LATER if name not in table.columns})
    missing = [name for name in Record.model_fields if name not in table.columns]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]}; merge the evaluations again")
    for name in numbers:
        wrong = table[name][pd.to_numeric(table[name], errors="coerce").isna()]
        if len(wrong):
            raise UserError(f"{path}: column {name}: {wrong.iloc[0]!r} is no number; {mend}")
        if Record.model_fields[name].annotation is int:
            broken = table[name][table[name] != table[name].round()]
            if len(broken):
                raise UserError(f"{path}: column {name}: {broken.iloc[0]:g} is no count; {mend}")
    _refuse_impossible(table, path, mend)
    cut = table[list(texts)].isna().any()
    if cut.any():
        raise UserError(f"{path}: a line ends before its {cut.idxmax()}; {mend}")
    refuse_twice(table, path)
    return table
