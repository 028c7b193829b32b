"""Images in npz and npy files: what is bad is one line, and what is unpacked leaves nothing."""

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sid.data import sources
from sid.data.sources import read_images
from sid.errors import UserError
from tests.data.files import COLOUR, PNG, npy, npz, write_png


def with_nan() -> NDArray[np.float32]:
    array = np.zeros((4, 6, 7, 3), np.float32)
    array[2, 5, 6, 1] = np.nan
    return array


BAD_ARRAYS: dict[str, tuple[NDArray[np.generic], str]] = {
    "floats": (np.zeros((4, 6, 7, 3)), "holds float64; what range floats have is not told: save"),
    "NaN": (with_nan(), "holds NaN, the first in image 2; "),
    "int64": (np.zeros((4, 6, 7, 3), np.int64), "holds int64; save 0 to 255 as uint8"),
    "objects": (np.array([{}, []], object), "holds Python objects, which could run code"),
    "strings": (np.array(["x"]), "holds <U1; save"),
    "scalar": (np.array(3, np.uint8), "its shape () is not that of images"),
    "one image": (np.zeros((6, 7, 3), np.uint8), "its shape (6, 7, 3) is not that of images"),
    "RGBA": (np.zeros((4, 6, 7, 4), np.uint8), "its shape (4, 6, 7, 4) is not that of images"),
    "either": (np.zeros((4, 3, 7, 3), np.uint8), "could be [N, H, W, C] or [N, C, H, W]; save"),
    "empty": (np.zeros((0, 6, 7, 3), np.uint8), "holds no images, its shape is (0, 6, 7, 3)"),
    "Fortran": (np.asfortranarray(np.zeros((4, 6, 7, 3), np.uint8)), "is in Fortran order; save"),
}


@pytest.mark.parametrize("what", BAD_ARRAYS)
def test_bad_arrays_are_named(tmp_path: Path, what: str) -> None:
    array, message = BAD_ARRAYS[what]
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", array)
    np.savez_compressed(tmp_path / "c.npz", array)
    for name in ("x.npy", "x.npz", "c.npz"):
        with pytest.raises(UserError) as caught:
            read_images(tmp_path / name)
        assert message in str(caught.value)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_damaged_arrays_are_named(tmp_path: Path) -> None:
    path = npy(tmp_path / "x.npy", COLOUR)
    whole = path.read_bytes()
    for content, message in (
        (whole[:-1], r"x\.npy: ends after 757 of 758 bytes; make the file again"),
        (whole.replace(b"'descr'", b"__(){}["), r"x\.npy: not NumPy's format, or damaged"),
        (whole.replace(b"(5, 3", b"(5,-3"), r"x\.npy: holds no images, its shape is \(5, -3"),
        (b"", r"x\.npy: not NumPy's format, or damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            read_images(path)
    path = npz(tmp_path / "x.npz", COLOUR)
    whole = path.read_bytes()
    for content, message in (
        (b"text", "not an npz file"),
        (whole[:-30], "not an npz file"),
        (whole.replace(COLOUR[4].transpose(1, 2, 0).tobytes(), bytes(126)), "damaged \\(Bad CRC"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=rf"x\.npz: (arr_0 is )?{message}.*again"):
            read_images(path)


def test_wrong_keys_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, images=COLOUR, labels=np.arange(5))
    with pytest.raises(UserError, match=r"x.npz: holds images, labels; wanted arr_0, uint8"):
        read_images(path)
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(UserError, match="holds nothing; wanted arr_0"):
        read_images(path)


PACKINGS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("packing", PACKINGS)
def test_arrays_that_other_tools_put_into_a_zip(tmp_path: Path, packing: int) -> None:
    """Without `.npy` at the end, which NumPy reads too; in any packing; and damaged there."""
    path, array = tmp_path / "x.npz", io.BytesIO()
    np.save(array, COLOUR.transpose(0, 2, 3, 1).copy())
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("arr_0", array.getvalue())
    assert np.array_equal(read_images(path).images, COLOUR)
    content = bytearray(path.read_bytes())
    content[300:400] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npz: arr_0.* damaged"):
        read_images(path)


def test_locked_and_strangely_packed_files_are_not_called_damaged(tmp_path: Path) -> None:
    write_png(tmp_path / "0.png", COLOUR[0])
    array = io.BytesIO()
    np.save(array, COLOUR)
    members = {"x.zip": ("0.png", PNG), "x.npz": ("arr_0.npy", array.getvalue())}
    for name, (member, content) in members.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, content)
        whole = (tmp_path / name).read_bytes()
        for flags, packing in ((b"\x01\x00", b"\x00\x00"), (b"\x00\x00", b"\x09\x00")):
            changed = bytearray(whole)
            for head, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                at = changed.index(head) + place
                changed[at : at + 4] = flags + packing
            (tmp_path / name).write_bytes(changed)
            with pytest.raises(UserError, match=r"x\.\w+: \S+ cannot be read \(.*; (pack|save)"):
                read_images(tmp_path / name)


def test_two_members_of_one_name(tmp_path: Path) -> None:
    path, array = tmp_path / "x.npz", io.BytesIO()
    np.save(array, COLOUR)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0", array.getvalue())
        archive.writestr("arr_0.npy", array.getvalue())
    with pytest.raises(UserError, match=r"x\.npz: holds arr_0 twice; make the file again"):
        read_images(path)


def test_no_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = npz(tmp_path / "x.npz", COLOUR, np.savez_compressed)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"cannot be unpacked \(No such .*; set TMPDIR to a folder"):
        read_images(path)


def test_unpacked_arrays_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = npz(tmp_path / "x.npz", COLOUR, np.savez_compressed)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(sources, "EAGER_BYTES", 0)
    data = read_images(path)
    path.unlink()
    assert not list((tmp_path / "tmp").iterdir())
    assert np.array_equal(data.images[2], COLOUR[2])
