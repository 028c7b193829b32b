"""What a person asks `sid verify` for, looked through before anything is fetched or written."""

import os
from collections.abc import Sequence
from pathlib import Path

from sid.errors import UserError
from sid.verdict.claim import Claims
from sid.verify.subjects import Chosen, chosen, published
from sid.verify.ways import How

ENDINGS = (".pkl", ".safetensors")


def wanted(
    claims: Claims, names: Sequence[str], claim: str | None, every: bool, dataset: str | None
) -> tuple[Chosen, Path | None]:
    """What is to be verified, and the file at hand, if one was given.

    Raises:
        UserError: nothing is named, or too much.
    """
    if claim is not None and not claim.strip():
        raise UserError("--claim: is empty; name what the file claims to be, as `sid claims` does")
    if every + (claim is not None) + (bool(names) and claim is None) != 1:
        raise UserError("name claims, or a file with --claim, or --all; `sid claims` lists them")
    if dataset and not every:
        raise UserError("--dataset: goes with --all; without it name the claims")
    if every:
        return published(claims, dataset), None
    if claim is None:
        if path := next((name for name in names if _is_path(name, claims)), None):
            _check_file(Path(path))
            raise UserError(
                f"{path}: is a file; say with --claim NAME what it claims to be; `sid claims "
                "--kind checkpoint` lists the names"
            )
        return chosen(claims, names), None
    if len(names) != 1:
        raise UserError(f"--claim {claim}: wants one file, and {len(names)} are given")
    _check_file(Path(names[0]))
    return chosen(claims, [claim]), Path(names[0])


def _is_path(name: str, claims: Claims) -> bool:
    """Whether a name is that of a file rather than of a claim."""
    known = name in claims.subjects or name in claims.claims
    return not known and (name.endswith(ENDINGS) or Path(name).exists())


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give a file in it ({' or '.join(ENDINGS)})")
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the path of weights that are there")


def check_places(how: How, out: Path, reports: Path) -> None:
    """See that what is named is there, and that what comes out can be written.

    Raises:
        UserError: it is not, or cannot.
    """
    for option, path in (
        ("from", how.folder),
        ("data", how.data),
        ("frequencies", how.frequencies),
    ):
        if path and not path.exists():
            raise UserError(f"--{option} {path}: is not there")
    if how.folder and not how.folder.is_dir():
        raise UserError(f"--from {how.folder}: is a file; give the folder that it lies in")
    for option, path in (("out", out), ("reports", reports)):
        there = next(each for each in (path, *path.parents) if each.exists())
        if not there.is_dir():
            raise UserError(f"--{option} {path}: {there} is a file; give a folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise UserError(f"--{option} {path}: {there} cannot be written; give another folder")
