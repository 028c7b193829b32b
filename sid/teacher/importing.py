"""Official pickles as weights files of this repository."""

import hashlib
import json
import re
import tempfile
import urllib.parse
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from torch import Tensor

from sid.errors import UserError
from sid.fetch.cache import LARGEST, fetched
from sid.fetch.catalogue import mirrored
from sid.fetch.download import download, is_url, without_secrets
from sid.files import read_json, write_json
from sid.networks.weights import save_tensors
from sid.teacher.official import GENERATOR_CLASS, Official, read_official

SIGMA_INIT = 2.5  # The noise level that every official generator was distilled at.

# The names that the files are published or written under.
GENERATOR_NAME = re.compile(r"network-snapshot-(alpha)?-?\d+\.\d+-\d+|.*(^|_)sid(2?a)?_.*")
OF_TEACHERS = ("loss_fn", "augment_pipe")  # What EDM's training loop pickles beside the network.
DENOISER_NAME = re.compile(r"edm-.*|network-snapshot-\d+")


class NetworkKind(StrEnum):
    """What a network is for: many steps, or one."""

    denoiser = "denoiser"
    generator = "generator"


@dataclass(frozen=True)
class Imported:
    """What was written.

    Attributes:
        path: the safetensors file.
        kind: of the network.
        weights_held: how many numbers, a few constant filters included.
        sha256: of the official file.
    """

    path: Path
    kind: NetworkKind
    weights_held: int
    sha256: str


def import_official(
    source: str, out: Path, *, kind: NetworkKind | None, sha256: str | None, quiet: bool
) -> Imported:
    """Write NAME.safetensors and NAME.json for the official pickle NAME.pkl.

    Args:
        source: its path or address; of an address, what `sid fetch` got is taken if it is there.
        out: the folder to write to.
        kind: what it is; None finds it out, or says that it cannot be found out.
        sha256: that the file must have, or None.
        quiet: no progress of a download.

    Raises:
        UserError: it cannot be fetched or read, is not what `sha256` says, or is no network that
            can be built here. Nothing was written.
    """
    shown = without_secrets(source) if is_url(source) else source
    content = _content(source, quiet=quiet)
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and sha256.lower() != found:
        raise UserError(f"{shown}: its SHA-256 is {found} and should be {sha256.lower()}")
    official = read_official(content, shown)
    stem = imported_name(source)
    if kind is NetworkKind.generator:
        _refuse_teacher(official, shown)
    chosen = kind or _kind(official, stem, shown)
    about: dict[str, Any] = {
        "kind": chosen.value,
        "class_name": official.class_name,
        "arguments": official.arguments,
        "source": shown if is_url(source) else Path(source).name,
        "source_sha256": found,
    }
    if chosen is NetworkKind.generator:
        about["sigma_init"] = SIGMA_INIT
    weights = out / f"{stem}.safetensors"
    _write(weights, official, about)
    held = sum(tensor.numel() for tensor in official.tensors.values())
    return Imported(weights, chosen, held, found)


def imported_name(source: str) -> str:
    """The name, without ending, of what is written for a path or address."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(source).path) if is_url(source) else source
    return (
        re.sub(r"[^\w.+-]", "_", PurePosixPath(path).stem, flags=re.ASCII).lstrip(".") or "network"
    )


def _content(source: str, *, quiet: bool) -> bytes:
    if is_url(source) and (kept := fetched(source)):
        source = str(kept)
    if is_url(source):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "download"
            download(mirrored(source), path, largest=LARGEST, quiet=quiet)
            return path.read_bytes()
    path = Path(source)
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if not path.is_file():
        raise UserError(f"{path}: is not a file")
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path}: larger than {LARGEST} bytes; no official network is")
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise UserError(f"{path}: no permission to read it") from error


def _kind(official: Official, name: str, source: str) -> NetworkKind:
    """By what only one of the training loops writes, else by the names of the published files."""
    if official.class_name == GENERATOR_CLASS:
        return NetworkKind.generator
    if official.others or DENOISER_NAME.fullmatch(name):  # EDM adds its loss and its data.
        return NetworkKind.denoiser
    if GENERATOR_NAME.fullmatch(name):
        return NetworkKind.generator
    raise UserError(
        f"{source}: may be a teacher or a one-step generator; say --kind denoiser or "
        "--kind generator"
    )


def _refuse_teacher(official: Official, source: str) -> None:
    """See that a file is not what only EDM's training loop writes."""
    if held := next((key for key in OF_TEACHERS if key in official.others), None):
        raise UserError(
            f"{source}: is a teacher (it holds `{held}`), not a one-step generator; give the "
            "generator's file, or call it a teacher: --kind denoiser, or --claim of a teacher"
        )


def _write(weights: Path, official: Official, about: dict[str, Any]) -> None:
    description = weights.with_suffix(".json")
    known = description.exists()
    before = read_json(description) if known and weights.exists() else {}
    same = isinstance(before, dict) and before.get("source_sha256") == about["source_sha256"]
    if weights.exists() and not same:
        raise UserError(f"{weights}: is there already, of another file; give another --out")
    architecture = json.loads(official.architecture.model_dump_json())
    write_json(description, {**about, "architecture": architecture})
    try:
        save_tensors(weights, _apart(official.tensors), {**about, "architecture": architecture})
    except BaseException:
        if not known:
            description.unlink(missing_ok=True)
        raise


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each tensor whole and in memory of its own, as safetensors needs it."""
    seen: set[int] = set()
    whole = {}
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage()
        alone = memory.nbytes() == tensor.nbytes and memory.data_ptr() not in seen
        seen.add(memory.data_ptr())
        whole[name] = tensor.contiguous() if alone else tensor.contiguous().clone()
    return whole
