"""What a bundle holds, how it is made, and how it is made again to be compared."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import torch
import yaml

from sid import provenance
from sid.bundle.archive import ENDING, check_sums, files_of, pack, unpack, write_sums
from sid.bundle.summary import TEMPLATES, write_summary
from sid.config import read_layers, recipe_files
from sid.errors import UserError
from sid.evaluate.merging import merge_records
from sid.evaluate.records import load_table
from sid.experiment import experiment_path
from sid.files import check_target, write_atomic, write_json, write_text
from sid.report.command import write_report
from sid.report.verdicts import read_verdicts
from sid.shipped import located, tables
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.verdict import to_table

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("constraints.txt", "environment.yml")
README = TEMPLATES / "README.md"
NEIGHBOURS = "neighbours.png"  # Of `sid evaluate neighbours`: the one figure not of the records.


def make_bundle(
    records: Sequence[Path], out: Path, names: Sequence[str] | None, experiment: str | None
) -> None:
    """Write a bundle.

    Args:
        records: JSON of evaluations, and merged tables.
        out: a new folder, or an archive if its name ends in `.tar.gz`.
        names: claims; None for all whose subject is in the records.
        experiment: one of `config/`, whose configuration is put in.

    Raises:
        UserError: an input cannot be used, or `out` is there; nothing is written.
    """
    archived = out.name.endswith(ENDING)
    if archived:
        check_target(out)
    elif out.exists():
        raise UserError(f"{out}: is there already; name a new folder, or a {ENDING} file")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as place:
        folder = Path(place) / "bundle"
        folder.mkdir()
        table = merge_records(records, folder / "records.csv")
        for beside in (path.with_name(NEIGHBOURS) for path in records):
            if beside.exists():
                shutil.copyfile(beside, folder / NEIGHBOURS)
        shutil.copytree(tables(), folder / "published", ignore=shutil.ignore_patterns(".*"))
        _configuration(sorted(set(table["recipe"])), experiment, folder / "config")
        _versions(folder)
        render(folder, folder, names)
        write_sums(folder)
        if archived:
            pack(folder, out)
        else:
            folder.rename(out)


def check_bundle(bundle: Path) -> int:
    """Make what follows from a bundle's records again, and compare it byte by byte.

    Args:
        bundle: a folder, or an archive.

    Returns:
        How many files were made again.

    Raises:
        UserError: a file is missing, changed or one too many, or is not what the records give.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = bundle if bundle.is_dir() else unpack(bundle, Path(place) / "bundle")
        try:
            return _again(folder, Path(place) / "again")
        except UserError as error:  # An archive's files are called by their names in it.
            raise UserError(str(error).replace(str(folder), str(bundle))) from error


def _again(folder: Path, again: Path) -> int:
    """Make what follows from the records of a bundle's folder into another, and compare."""
    check_sums(folder)
    render(folder, again, read_verdicts(folder / "verdicts")["claim"].tolist())
    files, made = files_of(folder), files_of(again)
    if lacking := sorted(_following(files) - made.keys()):
        raise UserError(f"{folder / lacking[0]}: does not follow from its records; take it out")
    for name, path in made.items():
        if name not in files or path.read_bytes() != files[name].read_bytes():
            raise UserError(
                f"{folder / name}: is not what its records give here; compare versions.json "
                "with the versions installed, or get the bundle again"
            )
    return len(made)


def render(folder: Path, out: Path, names: Sequence[str] | None) -> None:
    """Write all that follows from `records.csv` and `published/` of a folder, into another."""
    with _published(folder / "published"):
        records, verdicts = folder / "records.csv", out / "verdicts"
        table = load_table(records)
        judged = to_table(judge(table, load_claims(), names))
        write_atomic(verdicts / "verdicts.csv", lambda path: judged.to_csv(path, index=False))
        write_report(records, verdicts, None, None, out / "report")
        write_summary(table, read_verdicts(verdicts), out / "summary.md")
    write_text(out / README.name, README.read_text(encoding="utf-8"))


def _following(files: dict[str, Path]) -> set[str]:
    """The names of the files that follow from the records."""
    return {name for name in files if name.startswith(("verdicts/", "report/"))}


@contextmanager
def _published(folder: Path) -> Iterator[None]:
    """Take the published tables from a folder while the block runs."""
    before = os.environ.get("SID_PUBLISHED")
    os.environ["SID_PUBLISHED"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("SID_PUBLISHED")
        if before is not None:
            os.environ["SID_PUBLISHED"] = before


def _configuration(names: Sequence[str], experiment: str | None, out: Path) -> None:
    """The recipes that are known here, whole, and the experiment."""
    known = recipe_files()
    for name in names:
        for path in known.get(name, [])[:1]:
            write_text(out / "recipes" / f"{name}.yaml", _whole(path))
    if experiment:
        path = experiment_path(experiment, located(Path("config")))
        write_text(out / f"{experiment}.yaml", _whole(path))


def _whole(path: Path) -> str:
    return yaml.safe_dump(read_layers(path), sort_keys=False, allow_unicode=True)


def _versions(folder: Path) -> None:
    """What is installed here, and the lock files where this is a checkout."""
    packages = {one.name: one.version for one in metadata.distributions()}
    about = provenance.describe(torch.device("cpu"))
    write_json(folder / "versions.json", {**about, "packages": dict(sorted(packages.items()))})
    for name in LOCKS:
        if (ROOT / name).exists():
            shutil.copyfile(ROOT / name, folder / name)
