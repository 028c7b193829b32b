"""Images and files that cannot be read are named in one line."""

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sid.data import sources
from sid.data.sources import read_images
from sid.errors import UserError
from tests.data.forms import COLOUR, folder, npy, npz, write_png


def encoded(image: Image.Image, kind: str = "png") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


PNG = encoded(Image.fromarray(COLOUR[0].transpose(1, 2, 0)))
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
    "size": (encoded(Image.new("RGB", (7, 9))), "3.png is (3, 9, 7), but 0.png is (3, 6, 7); all"),
    "grey": (encoded(RGB.convert("L")), "of one size, all grey or all RGB; convert the images"),
    "palette": (encoded(RGB.convert("P")), f"mode P, {NEITHER}"),
    "alpha": (
        encoded(RGB.convert("RGBA")),
        f"mode RGBA, {NEITHER}",
    ),
    "16 bits": (
        encoded(Image.fromarray(np.zeros((6, 7), np.uint16))),
        f"mode I;16, {NEITHER}",
    ),
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


def test_what_the_first_bytes_tell_is_found_before_the_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "EAGER_BYTES", 0)
    for what in ("cut head", "0 bytes", "text", "size", "grey", "palette", "alpha", "16 bits"):
        (folder(tmp_path / what) / "3.png").write_bytes(BAD_IMAGES[what][0])
        with pytest.raises(UserError, match=r"3\.png is"):
            read_images(tmp_path / what)


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
    with pytest.raises(
        UserError, match=r"x\.png: (no file, or a broken|cannot be read \(Too many)"
    ):
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
