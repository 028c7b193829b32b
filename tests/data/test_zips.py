"""EDM zips: same images, same bytes; what is damaged is named."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sid.data.digits import digits
from sid.data.zips import read_zip, write_zip
from sid.errors import UserError


def test_digits_survive_the_zip(digits_zip: Path) -> None:
    images, labels = digits()
    data = read_zip(digits_zip)
    assert data.name == "digits"
    assert np.array_equal(data.images, images)
    assert data.labels is not None
    assert np.array_equal(data.labels, labels)
    assert data.n_classes == 10
    assert (images.shape, images.max(), images.min()) == ((1797, 1, 8, 8), 255, 0)


def test_layout_is_edm(digits_zip: Path) -> None:
    with zipfile.ZipFile(digits_zip) as archive:
        names = archive.namelist()
        labels = json.loads(archive.read("dataset.json"))["labels"]
    assert names[0] == "00000/img00000000.png"
    assert names[1796] == "00001/img00001796.png"
    assert labels[0] == ["00000/img00000000.png", 0]


def test_same_images_same_bytes(digits_zip: Path, tmp_path: Path) -> None:
    write_zip(tmp_path / "again.zip", *digits())
    assert (tmp_path / "again.zip").read_bytes() == digits_zip.read_bytes()


def test_colour_and_no_labels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 5, 5), dtype=np.uint8)
    write_zip(tmp_path / "c.zip", images, None)
    data = read_zip(tmp_path / "c.zip")
    assert np.array_equal(data.images, images)
    assert data.labels is None
    assert data.n_classes == 0


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
        ({"dataset.json": b"{}"}, "damaged data set"),
        ({"dataset.json": b'{"labels": []}'}, f"no label for {FIRST}"),
    ],
)
def test_damage_is_named(
    digits_zip: Path, tmp_path: Path, change: dict[str, bytes | None], message: str
) -> None:
    bad = rewrite(digits_zip, tmp_path / "bad.zip", change)
    with pytest.raises(UserError, match=r"bad\.zip: ") as caught:
        read_zip(bad)
    assert message in str(caught.value)


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


def test_mixed_sizes_are_named(digits_zip: Path, tmp_path: Path) -> None:
    write_zip(tmp_path / "big.zip", np.zeros((1, 1, 9, 9), np.uint8), None)
    with zipfile.ZipFile(tmp_path / "big.zip") as archive:
        big = archive.read(FIRST)
    bad = rewrite(digits_zip, tmp_path / "bad.zip", {"00000/img00000007.png": big})
    with pytest.raises(UserError, match=r"img00000007.png is \(1, 9, 9\), but .* of one size"):
        read_zip(bad)
