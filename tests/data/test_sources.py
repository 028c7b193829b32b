"""What people have is read: the same images from any form, whatever their names."""

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sid.data import sources
from sid.data.arrays import ArrayImages
from sid.data.encoded import EncodedImages
from sid.data.sources import read_images
from sid.data.zips import write_zip
from sid.errors import UserError
from tests.data.forms import COLOUR, GREY, folder, npy, npz, write_png

FORMS: dict[str, tuple[Callable[[Path], Path], NDArray[np.uint8]]] = {
    "folder": (lambda path: folder(path / "set"), COLOUR),
    "grey folder": (lambda path: folder(path / "set", GREY), GREY),
    "npz": (lambda path: npz(path / "set.npz", COLOUR), COLOUR),
    "compressed npz": (lambda path: npz(path / "set.npz", COLOUR, np.savez_compressed), COLOUR),
    "npy NHWC": (lambda path: npy(path / "set.npy", COLOUR.transpose(0, 2, 3, 1).copy()), COLOUR),
    "npy NCHW": (lambda path: npy(path / "set.npy", COLOUR), COLOUR),
    "npy NHW": (lambda path: npy(path / "set.npy", GREY[:, 0]), GREY),
    "npy NHW1": (lambda path: npy(path / "set.npy", GREY.transpose(0, 2, 3, 1).copy()), GREY),
}


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_same_images_from_any_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, eager: bool
) -> None:
    if not eager:
        monkeypatch.setattr(sources, "EAGER_BYTES", 0)
    make, images = FORMS[form]
    data = read_images(make(tmp_path))
    assert isinstance(data.images, np.ndarray if eager else (EncodedImages, ArrayImages))
    assert (data.name, data.shape, len(data), data.labels) == ("set", images.shape, 5, None)
    for some in (3, -1, slice(1, 4), slice(4, 0, -2), np.array([[4, 0], [2, 2]]), slice(2, 2)):
        found = data.images[some]
        assert found.dtype == np.uint8
        assert eager or found.flags.c_contiguous
        assert np.array_equal(found, images[some])
    assert np.array_equal(np.asarray(data.images), images)
    with pytest.raises(IndexError):
        data.images[np.array([5])]


def test_zips_with_and_without_labels(tmp_path: Path) -> None:
    write_zip(tmp_path / "edm.zip", COLOUR, np.arange(5))
    with zipfile.ZipFile(tmp_path / "plain.ZIP", "w") as archive:
        for path in sorted(folder(tmp_path / "f").iterdir()):
            archive.write(path, f"../../{path.name}")  # Nothing is unpacked, so names do no harm.
        archive.writestr("dataset.json", "no labels of EDM's")
    for name in ("edm.zip", "plain.ZIP"):
        data = read_images(tmp_path / name)
        assert np.array_equal(data.images, COLOUR)
        assert data.labels is None
    assert not (tmp_path.parent.parent / "0.png").exists()


def test_folders_as_they_are(tmp_path: Path) -> None:
    """Images beside folders, empty folders, other files, hidden ones, links, upper case, GIFs."""
    top = tmp_path / "photos"
    for name in ("b/1.PNG", "a.png", "B.png", "b/0.Png", "a/deep/x.png"):
        write_png(top / name, np.full((1, 16, 16), len(name), np.uint8))
    (top / "empty").mkdir()
    for name in ("Thumbs.db", ".DS_Store", ".hidden.png", "notes.txt", "dataset.json"):
        (top / name).write_bytes(b"no image")
    (top / "__MACOSX").mkdir()
    (top / "__MACOSX" / "x.png").write_bytes(b"no image")
    write_png(tmp_path / "outside" / "y.png", np.full((1, 16, 16), 99, np.uint8))
    (top / "c").symlink_to(tmp_path / "outside")
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)  # All greys, or it has a palette.
    Image.fromarray(levels[::-1]).save(
        top / "z.gif", save_all=True, append_images=[Image.fromarray(levels)]
    )
    data = read_images(top)
    # B.png, a/deep/x.png, a.png, b/0.Png, b/1.PNG, c/y.png, z.gif: by code point, not by alphabet.
    assert data.images[:, 0, 0, 0].tolist() == [5, 12, 5, 7, 7, 99, 240]


def test_hash_of_a_folder_is_its_images(tmp_path: Path) -> None:
    first = read_images(folder(tmp_path / "one")).sha256
    assert len(first) == 64
    assert read_images(folder(tmp_path / "two")).sha256 == first
    (tmp_path / "two" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "two" / "readme.txt").write_bytes(b"x")
    assert read_images(tmp_path / "two").sha256 == first
    (tmp_path / "two" / "4.png").rename(tmp_path / "two" / "5.png")
    renamed = read_images(tmp_path / "two").sha256
    write_png(tmp_path / "two" / "5.png", COLOUR[0])
    changed = read_images(tmp_path / "two").sha256
    assert len({first, renamed, changed}) == 3


HOSTILE = [
    "a\nb.png",
    "-rf.png",
    "--help.png",
    "ünï.png",
    "{}{0}%s%d[red]x[bold].png",
    "$(touch x);`id`.png",
    "back\\slash.png",
    " .png",
    "\x1b[31m.png",
    "\u202egnp.png",
    "n" * 251 + ".png",
    os.fsdecode(b"\xff\xfe.png"),
]


def test_hostile_names_are_read(tmp_path: Path) -> None:
    """All are plain names to us; as is the name of the folder."""
    top = tmp_path / os.fsdecode(b"na\nme\xff{}[b]")
    for i, name in enumerate(HOSTILE):
        write_png(top / name, np.full((1, 4, 4), i, np.uint8))
    data = read_images(top)
    assert data.name == "na\\nme\\xff{}[b]"
    order = data.images[:, 0, 0, 0].tolist()
    assert [HOSTILE[i] for i in order] == sorted(HOSTILE)
    data.sha256.encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_in_errors(tmp_path: Path, name: str) -> None:
    folder(tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match="is damaged \\(0 bytes\\); replace or remove it") as caught:
        read_images(tmp_path)
    assert name in str(caught.value)


def test_links_that_lead_back(tmp_path: Path) -> None:
    folder(tmp_path / "set")
    for target in (".", "..", "../set"):
        link = tmp_path / "set" / "loop"
        link.symlink_to(target)
        with pytest.raises(UserError, match="loop: a link to a folder around it; remove it"):
            read_images(tmp_path / "set")
        link.unlink()
    for here, there in (("x", "y"), ("y", "x")):
        (tmp_path / "set" / here).mkdir()
        (tmp_path / "set" / here / "across").symlink_to(f"../{there}")
    with pytest.raises(UserError, match="across: a link to a folder around it"):
        read_images(tmp_path / "set")


def test_deep_folders(tmp_path: Path) -> None:
    """Deeper than Python's stack, as deep as a path can be; then too deep."""
    here, depth = os.getcwd(), (4000 - len(str(tmp_path))) // 2
    try:
        os.chdir(tmp_path)
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        for i in range(2):
            write_png(Path(f"{i}.png"), COLOUR[0])
        assert len(read_images(tmp_path)) == 2
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)  # Too deep for pytest.
    with pytest.raises(UserError, match="cannot be read \\(File name too long\\)"):
        read_images(Path("x" * 5000))
