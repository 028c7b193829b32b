"""EDM zips: same images, same bytes; what is damaged is named; large ones stay on the disk."""

import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sid.data.encoded import EncodedImages
from sid.data.images import Picture
from sid.data.sets.digits import digits
from sid.data.zips import read_zip, write_images, write_zip
from sid.errors import UserError
from tests.data.files import encoded


def test_digits_survive_the_zip_in_the_layout_of_edm(digits_zip: Path) -> None:
    images, labels = digits()
    data = read_zip(digits_zip)
    assert data.name == "digits"
    assert np.array_equal(data.images, images)
    assert data.labels is not None
    assert np.array_equal(data.labels, labels)
    assert data.n_classes == 10
    assert (images.shape, images.max(), images.min()) == ((1797, 1, 8, 8), 255, 0)
    with zipfile.ZipFile(digits_zip) as archive:
        assert archive.namelist()[1796] == "00001/img00001796.png"


def test_same_images_same_bytes(digits_zip: Path, tmp_path: Path) -> None:
    write_zip(tmp_path / "again.zip", *digits())
    assert (tmp_path / "again.zip").read_bytes() == digits_zip.read_bytes()


def rewrite(source: Path, out: Path, change: dict[str, bytes | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out


FIRST = "00000/img00000000.png"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({FIRST: b"not a picture"}, f"{FIRST} is damaged"),
        ({FIRST: b""}, f"{FIRST} is damaged"),
        ({"dataset.json": b"{"}, "damaged data set"),
        ({"dataset.json": b"[]"}, "damaged data set (dataset.json: not EDM's labels"),
        ({"dataset.json": b'{"labels": [3]}'}, "damaged data set (dataset.json: not EDM's labels"),
        ({"dataset.json": b'{"labels": []}'}, f"no label for {FIRST}"),
        ({"dataset.json": b'{"labels": [["x.png", -1]]}'}, "the label of x.png is -1, not a class"),
        ({"dataset.json": b'{"labels": [["x.png", [0, 1]]]}'}, "the label of x.png is [0, 1]"),
        ({"dataset.json": b'{"labels": [["x.png", true]]}'}, "the label of x.png is True"),
        ({"dataset.json": b'{"labels": [["x.png", 2000000000]]}'}, "is 2000000000, not a class 0,"),
        ({"dataset.json": b'{"labels": [["x.png", 1], ["x.png", 2]]}'}, "x.png stands there twice"),
        ({"dataset.json": b'{"labels": [], "labels": null}'}, "labels stands there twice"),
        ({"dataset.json": b"[" * 100_000}, "not EDM's labels (maximum recursion depth"),
    ],
)
def test_damage_is_named(
    digits_zip: Path, tmp_path: Path, change: dict[str, bytes | None], message: str
) -> None:
    bad = rewrite(digits_zip, tmp_path / "bad.zip", change)
    with pytest.raises(UserError, match=r"bad\.zip: ") as caught:
        read_zip(bad)
    assert message in str(caught.value)


def test_classes_without_images_are_told(tmp_path: Path) -> None:
    written = write_zip(tmp_path / "x.zip", np.zeros((3, 1, 4, 4), np.uint8), np.array([0, 63, 7]))
    assert str(written) == "3 images, 1x4x4, 64 classes, 61 of them without an image"


def test_flipped_byte_is_found(digits_zip: Path, tmp_path: Path) -> None:
    content = bytearray(digits_zip.read_bytes())
    content[60] ^= 0xFF
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"bad.zip: .*(damaged|CRC)"):
        read_zip(tmp_path / "bad.zip")


def test_cut_empty_and_missing(digits_zip: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(digits_zip.read_bytes()[:9999])
    with pytest.raises(UserError, match=r"cut\.zip: damaged"):
        read_zip(tmp_path / "cut.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(UserError, match="holds no images"):
        read_zip(tmp_path / "empty.zip")
    with pytest.raises(UserError, match="no such file; make it with `sid data`"):
        read_zip(tmp_path / "none.zip")


def test_hidden_files_are_no_images(digits_zip: Path, tmp_path: Path) -> None:
    """What macOS puts into zips beside each image."""
    copy = rewrite(digits_zip, tmp_path / "digits.zip", {})
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("__MACOSX/00000/._img00000000.png", b"x")
        archive.writestr("00000/._img00000001.png", b"x")
    assert len(read_zip(copy)) == 1797


def test_two_files_of_one_name(digits_zip: Path, tmp_path: Path) -> None:
    copy = rewrite(digits_zip, tmp_path / "digits.zip", {})
    with zipfile.ZipFile(copy, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(FIRST, archive.read("00000/img00000001.png"))
    with pytest.raises(UserError, match=f"holds {FIRST} twice"):
        read_zip(copy)


def test_zips_of_the_official_tool(tmp_path: Path) -> None:
    """Any order of the labels, any image format, compressed or not, other files between."""
    levels = {"00000/img00000001.png": 10, "00000/img00000000.JPG": 20, "b/x.bmp": 30}
    with zipfile.ZipFile(tmp_path / "o.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, level in levels.items():
            kind = {"png": "png", "JPG": "jpeg", "bmp": "bmp"}[name[-3:]]
            archive.writestr(name, encoded(Image.new("RGB", (8, 8), (level,) * 3), kind))
        archive.writestr("00000/readme.txt", "more")
        pairs = [["b/x.bmp", 4], ["00000/img00000001.png", 0], ["00000/img00000000.JPG", 2]]
        archive.writestr("dataset.json", json.dumps({"labels": pairs}))
    data = read_zip(tmp_path / "o.zip")
    assert data.images[:, 0, 0, 0].tolist() == [20, 10, 30]
    assert data.labels is not None
    assert data.labels.tolist() == [2, 0, 4]
    assert data.n_classes == 5
    null = {"dataset.json": b'{"labels": null}'}
    assert read_zip(rewrite(tmp_path / "o.zip", tmp_path / "n.zip", null)).labels is None


def test_large_zips_are_read_when_asked(digits_zip: Path) -> None:
    eager, lazy = read_zip(digits_zip), read_zip(digits_zip, eager_bytes=1797 * 64 - 1)
    assert isinstance(eager.images, np.ndarray)
    assert isinstance(lazy.images, EncodedImages)
    assert isinstance(read_zip(digits_zip, eager_bytes=1797 * 64).images, np.ndarray)
    assert lazy.shape == eager.shape == (1797, 1, 8, 8)
    assert len(lazy) == len(lazy.images) == 1797
    assert (lazy.n_classes, lazy.sha256, lazy.name) == (10, eager.sha256, "digits")
    index = np.random.default_rng(0).integers(0, 1797, 50)
    assert np.array_equal(lazy.batch(index), eager.batch(index))
    assert np.array_equal(eager.batch(index), digits()[0][index])
    for some in (3, -1, slice(5, 20, 3), np.array([], np.int64), np.array([[1, 2], [3, 4]])):
        found = lazy.images[some]
        assert found.dtype == np.uint8
        assert np.array_equal(found, eager.images[some])
    assert np.array_equal(np.asarray(lazy.images), eager.images)
    with pytest.raises(IndexError):
        lazy.batch(np.array([1797]))


def test_damage_in_a_large_zip_is_found_when_read(digits_zip: Path, tmp_path: Path) -> None:
    write_zip(tmp_path / "big.zip", np.zeros((1, 1, 9, 9), np.uint8), None)
    with zipfile.ZipFile(tmp_path / "big.zip") as archive:
        big = archive.read(FIRST)
    change = {"00000/img00000007.png": big, "00000/img00000009.png": b"x"}
    data = read_zip(rewrite(digits_zip, tmp_path / "bad.zip", change), eager_bytes=0)
    assert data.batch(np.arange(7)).shape == (7, 1, 8, 8)
    with pytest.raises(UserError, match=r"bad.zip: 00000/img00000007.png is \(1, 9, 9\), but"):
        data.batch(np.array([7]))
    with pytest.raises(UserError, match=r"bad.zip: 00000/img00000009.png is damaged"):
        data.batch(np.array([9]))


def test_writing_and_reading_hold_one_image_at_a_time(tmp_path: Path) -> None:
    n, image = 300, np.random.default_rng(0).integers(0, 256, (3, 128, 128), dtype=np.uint8)

    def pictures() -> Iterator[Picture]:
        for i in range(n):
            yield Picture(i, image ^ np.uint8(i % 256), i % 7)

    tracemalloc.start()
    assert str(write_images(tmp_path / "s.zip", pictures())) == "300 images, 3x128x128, 7 classes"
    data = read_zip(tmp_path / "s.zip", eager_bytes=0)
    for i in range(n):
        assert np.array_equal(data.images[i], image ^ np.uint8(i % 256))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n * image.nbytes > 14e6
    assert peak < 2e6
