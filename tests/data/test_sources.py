"""What people have is read: the same images from any form; what is bad is one line; flat memory."""

import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
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
from tests.data.files import COLOUR, GREY, PNG, encoded, folder, npy, npz, write_png

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
    for name in ("Thumbs.db", ".DS_Store", ".hidden.png", "features.h5", "dataset.json"):
        (top / name).write_bytes(b"no image")
    (top / "__MACOSX").mkdir()
    (top / "__MACOSX" / "x.png").write_bytes(b"no image")
    write_png(tmp_path / "outside" / "y.png", np.full((1, 16, 16), 99, np.uint8))
    (top / "c").symlink_to(tmp_path / "outside")
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)  # All greys, or it has a palette.
    Image.fromarray(levels[::-1]).save(top / "z.gif")
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


BROKEN = bytearray(PNG)
BROKEN[60] ^= 0xFF
RGB = Image.new("RGB", (7, 6))
NEITHER = "neither 8-bit grey nor 8-bit RGB; convert the images with `sid data prepare folder`"
BAD_IMAGES = {
    "corrupt": (bytes(BROKEN), "3.png is damaged ("),
    "truncated": (PNG[:-40], "3.png is damaged ("),
    "cut head": (PNG[:20], "3.png is damaged ("),
    "0 bytes": (b"", "3.png is damaged (0 bytes); replace or remove it"),
    "text": (b"no picture at all", "3.png is damaged (no image)"),
    "size": (encoded(Image.new("RGB", (7, 9)), "png"), "3.png is (3, 9, 7), but 0.png is (3, 6,"),
    "grey": (encoded(RGB.convert("L"), "png"), "of one size, all grey or all RGB; convert the"),
    "palette": (encoded(RGB.convert("P"), "png"), f"mode P, {NEITHER}"),
    "alpha": (encoded(RGB.convert("RGBA"), "png"), f"mode RGBA, {NEITHER}"),
    "16 bits": (encoded(Image.fromarray(np.zeros((6, 7), np.uint16)), "png"), "of 16 bits a"),
    "colour gif": (encoded(Image.fromarray(COLOUR[0].transpose(1, 2, 0)), "gif"), "of mode P"),
}


def all_pixels(path: Path) -> int:
    data = read_images(path)
    return sum(int(data.images[start : start + 2].sum()) for start in range(0, len(data), 2))


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("what", BAD_IMAGES)
def test_bad_images_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, eager: bool
) -> None:
    if not eager:
        monkeypatch.setattr(sources, "EAGER_BYTES", 0)
    content, message = BAD_IMAGES[what]
    (folder(tmp_path / "set") / "3.png").write_bytes(content)
    with pytest.raises(UserError) as caught:
        all_pixels(tmp_path / "set")
    assert str(caught.value).startswith(f"{tmp_path / 'set'}: 3.png is ")
    assert message in str(caught.value)


def test_too_few(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: holds no images"):
        read_images(tmp_path / "empty")
    for make in (
        lambda: folder(tmp_path / "one", COLOUR[:1]),
        lambda: npz(tmp_path / "one.npz", COLOUR[:1]),
        lambda: npy(tmp_path / "one.npy", COLOUR[:1]),
    ):
        with pytest.raises(UserError, match=r"one(.np[yz])?: holds one image; 2 are the least"):
            read_images(make())


def test_neither_folder_nor_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none: no such file or folder"):
        read_images(tmp_path / "none")
    (tmp_path / "x.png").write_bytes(PNG)
    with pytest.raises(UserError, match=r"x.png: neither a folder of images nor a .zip, .npz or"):
        read_images(tmp_path / "x.png")
    with pytest.raises(UserError, match="cannot be read \\(Not a directory\\)"):
        read_images(tmp_path / "x.png" / "y")
    os.mkfifo(tmp_path / "pipe.npy")  # Opening it would wait for ever.
    with pytest.raises(UserError, match=r"pipe\.npy: neither"):
        read_images(tmp_path / "pipe.npy")


@pytest.mark.parametrize("what", ["broken link", "link to itself", "pipe"])
def test_names_of_images_that_are_no_files(tmp_path: Path, what: str) -> None:
    path = folder(tmp_path) / "x.png"
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere" if what == "broken link" else "x.png")
    with pytest.raises(UserError, match=r"x\.png: (no file, or a broken|cannot be read \(Too)"):
        read_images(tmp_path)


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A folder that any user can reach; root becomes one that permissions hold for."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        user = os.geteuid()
        yield Path(path)
        if user == 0:
            os.seteuid(0)


def test_no_permission(ordinary_user: Path) -> None:
    top = folder(ordinary_user / "set")
    write_png(top / "locked" / "x.png", COLOUR[0])
    npy(ordinary_user / "set.npy", COLOUR)
    for path in (top / "3.png", top / "locked", ordinary_user / "set.npy"):
        path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    with pytest.raises(UserError, match=r"set/locked/?: cannot be read \(Permission denied\)"):
        read_images(top)
    with pytest.raises(UserError, match=r"set.npy: cannot be read \(Permission denied\)"):
        read_images(ordinary_user / "set.npy")
    if os.getuid() == 0:
        os.seteuid(0)
    (top / "locked").chmod(0o755)
    if os.getuid() == 0:
        os.seteuid(65534)
    with pytest.raises(UserError, match=r"set: 3.png cannot be read \(Permission denied\)"):
        read_images(top)


PEAK = """
import sys
from pathlib import Path
from sid.data.sources import read_images

data, total = read_images(Path(sys.argv[1])), 0
for start in range(0, len(data), 500):
    total += int(data.images[start : start + 500].sum())
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(total, status["VmHWM"].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_memory_does_not_grow_with_the_images(tmp_path: Path, kind: str) -> None:
    """30 MB and 300 MB, 3x32x32, in chunks of 500."""
    peaks = {}
    for n in (10_000, 100_000):
        path = tmp_path / f"{n}.{kind}"
        head, size = io.BytesIO(), n * 32 * 32 * 3
        np.lib.format.write_array_header_1_0(
            head, {"descr": "|u1", "fortran_order": False, "shape": (n, 32, 32, 3)}
        )
        if kind == "npy":
            with path.open("wb") as file:  # Of holes, and one byte at the end.
                file.write(head.getvalue())
                file.seek(size - 1, os.SEEK_CUR)
                file.write(b"\x07")
        else:
            archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            with archive, archive.open("arr_0.npy", "w") as member:
                member.write(head.getvalue())
                for _ in range(n // 1000):
                    member.write(bytes(size // n * 1000 - 1) + b"\x07")
        words = [sys.executable, "-c", PEAK, str(path)]
        total, peak = map(int, subprocess.check_output(words).split())
        assert total == (7 if kind == "npy" else 7 * n // 1000)
        peaks[n] = peak
    assert peaks[100_000] - peaks[10_000] < 4000  # kB; 270,000 more were read.
