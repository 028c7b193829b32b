"""The files that a verification needs, each from a folder, the cache, a mirror or the web."""

import re
from dataclasses import dataclass
from pathlib import Path

from sid.errors import UserError
from sid.evaluate.evaluate import origin
from sid.fetch import fetch, find, locate
from sid.fetch.catalogue import FileKind
from sid.files import sha256
from sid.networks.architecture import Architecture, parse_architecture
from sid.networks.weights import read_metadata
from sid.runs.world import World
from sid.teacher.importing import NetworkKind, import_official, imported_name
from sid.verdict.entries import Subject
from sid.verify.networks import check_architecture


@dataclass(frozen=True)
class Source:
    """Where files come from.

    Attributes:
        folder: that has files under the names of `sid fetch`, or None.
        world: the processes; several take only what is there, so that none waits for a download.
        quiet: no progress.
    """

    folder: Path | None
    world: World
    quiet: bool

    def get(self, name: str) -> Path:
        """The file of that name in `files.csv`.

        Raises:
            UserError: there is none of that name, it cannot be had, or is not what it should be.
        """
        file = find(name)
        given = self.folder / name if self.folder else None
        if given and given.is_file():
            if file.sha256 and (found := sha256(given)) != file.sha256:
                raise UserError(
                    f"{given}: its SHA-256 is {found} and should be {file.sha256}; get it anew, or "
                    "take it out of the folder"
                )
            return given
        if self.world.size > 1:
            return locate(name)
        try:
            return fetch(file, quiet=self.quiet).path
        except UserError as error:
            raise UserError(f"{error}; {name} is also taken from a folder, with --from") from error


def checksum(given: Path) -> str:
    """SHA-256 of a file at hand; of one that was imported that of the official file.

    Raises:
        UserError: it cannot be read.
    """
    if given.suffix == ".safetensors":
        return str(origin(read_metadata(given), given)["weights_sha256"])
    return sha256(given)


def import_weights(
    source: Source, subject: str, about: Subject, given: Path | None, out: Path
) -> Path:
    """The weights of a published checkpoint, read without running what is in its pickle.

    Args:
        source: where the published file comes from.
        subject: name.
        about: its entry.
        given: a file at hand in place of the published one: an official pickle, or one that was
            imported.
        out: folder for imported weights, in one folder for each subject.

    Returns:
        The safetensors file.

    Raises:
        UserError: the file cannot be had or read, or holds another kind of network.
    """
    path = given or source.get(about.weights)
    kind = NetworkKind.generator
    if find(about.weights).kind is FileKind.teacher:
        kind = NetworkKind.denoiser
    if path.suffix != ".safetensors":
        folder, official = out / subject, str(path)
        if source.world.main:
            import_official(official, folder, kind=kind, sha256=None, quiet=source.quiet)
        source.world.wait()
        path = folder / f"{imported_name(official)}.safetensors"
    network = check_network(path, subject, about, kind)
    if given:
        check_architecture(path, subject, network)
    return path


def check_network(path: Path, subject: str, about: Subject, kind: NetworkKind) -> Architecture:
    """See that weights are of what the claims speak of.

    Args:
        path: a safetensors file.
        subject: name.
        about: its entry.
        kind: what the network must be.

    Returns:
        What the network is.

    Raises:
        UserError: another kind of network, other classes, or images of another size.
    """
    told = read_metadata(path)
    found, where = told.get("kind"), f"{path}: {subject} is"
    if found != kind:
        raise UserError(f"{where} a {kind}, but this file holds a {found}; give another file")
    network = parse_architecture(told.get("architecture", {}), path)
    side = re.search(r"-(\d+)x\d+$", about.dataset)
    if side and int(side[1]) != network.img_resolution:
        raise UserError(
            f"{where} of {about.dataset}, but this network makes images of "
            f"{network.img_resolution}x{network.img_resolution}; give another file"
        )
    conditional = about.published.get("conditional")
    if conditional in ("cond", "uncond") and (conditional == "cond") != bool(network.label_dim):
        has = f"{network.label_dim or 'no'} classes"
        raise UserError(
            f"{where} {conditional}itional, but this network takes {has}; give another file"
        )
    return network
