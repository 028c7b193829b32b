"""A folder as one file: the same bytes of the same content, whenever and by whomever it is made."""

import gzip
import tarfile
import zlib
from pathlib import Path

from sid.errors import UserError
from sid.files import sha256, write_atomic, write_text

SUMS = "SHA256SUMS"
ENDING = ".tar.gz"


def files_of(folder: Path) -> dict[str, Path]:
    """Every file below a folder by its name there, sorted."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {name: found[name] for name in sorted(found) if found[name].is_file()}


def write_sums(folder: Path) -> None:
    """Write the checksum of every other file, as `sha256sum --check SHA256SUMS` reads them."""
    files = files_of(folder)
    files.pop(SUMS, None)
    lines = [f"{sha256(path)}  {name}\n" for name, path in files.items()]
    write_text(folder / SUMS, "".join(lines))


def check_sums(folder: Path) -> None:
    """See that a bundle holds the files that were put there, and no others.

    Raises:
        UserError: there is no list, or a file is missing, changed or one too many.
    """
    files = files_of(folder)
    if SUMS not in files:
        raise UserError(f"{folder}: has no {SUMS}; is it a bundle of `sid bundle`?")
    lines = files.pop(SUMS).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted(listed.keys() | files.keys()):
        if name not in files:
            raise UserError(f"{folder / name}: is missing; get the bundle again")
        if name not in listed:
            raise UserError(f"{folder / name}: is not of the bundle; take it out")
        if sha256(files[name]) != listed[name]:
            raise UserError(f"{folder / name}: was changed; get the bundle again")


def pack(folder: Path, archive: Path) -> None:
    """Write a folder as a gzipped tar below one name: fixed order, times, owners and rights."""
    top = archive.name.removesuffix(ENDING)

    def fixed(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime = member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o644
        return member

    def write(path: Path) -> None:
        with (
            path.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=0) as plain,
            tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for name, one in files_of(folder).items():
                tar.add(one, f"{top}/{name}", filter=fixed)

    write_atomic(archive, write)


def unpack(archive: Path, folder: Path) -> Path:
    """The bundle's folder in an archive, unpacked below `folder`.

    Raises:
        UserError: it is no archive, or holds another number of folders than one.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except FileNotFoundError as error:
        raise UserError(f"{archive}: no such file or folder") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise UserError(f"{archive}: not a whole bundle ({error}); get it again") from error
    tops = [path for path in folder.iterdir() if path.is_dir()]
    if len(tops) != 1:
        raise UserError(f"{archive}: holds {len(tops)} folders, and a bundle holds one")
    return tops[0]
