"""Folders to zips: pixels and labels of the official tools; what cannot be taken is named."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sid.data.conversion import Transform
from sid.data.sets.published import DataSet, prepare
from sid.data.zips import read_zip
from sid.errors import UserError
from tests.commands import refused, sid
from tests.data.files import encoded
from tests.data.sources import PICTURES, picture, write_pictures

NONE, CROP, WIDE, DHARIWAL = Transform

# Numbers in the zip, classes and SHA-256 of the pixels one after another, from the zips that
# dataset_tool.py of NVlabs/edm (008a4e5; `center-crop-dhariwal`: of NVlabs/edm2, 4bf8162) made of
# the same pictures with Pillow 13.0.0. Its zips equalled ours byte for byte, but for their dates.
OFFICIAL = [
    (NONE, "32x32", "grey", "012345", "000122", "f55bb735bb5ace433df868e2394a8bcb"),
    (CROP, "32x32", "", "0123456", "0000122", "4e99e901cf10f27c0ac85f009046ab2a"),
    (WIDE, "64x48", "", "125", "002", "dc36f5edc20c4452c22cd62d0e238e9d"),
    (WIDE, "32x15", "", "0123456", "0000122", "128e6a4980296d408fb523e4cb95977e"),
    (DHARIWAL, "16x16", "a-b", "012345", "000011", "afec3e21f2536644c324aed0d71b3dcf"),
    (DHARIWAL, "64x64", "a-b", "012345", "000011", "f0cf2284e5a6860a1e846bf157070ae9"),
]


def folder(source: Path, out: Path, size: str | None = None, crop: Transform = NONE) -> list[str]:
    return prepare(DataSet.FOLDER, source, out, size, crop, quiet=True)[1]


@pytest.mark.parametrize(("crop", "size", "without", "numbers", "labels", "pixels"), OFFICIAL)
def test_equals_the_official_tool(
    tmp_path: Path, crop: Transform, size: str, without: str, numbers: str, labels: str, pixels: str
) -> None:
    chosen = [p for p in PICTURES if not without or without not in p[0]]
    folder(write_pictures(tmp_path / "source", chosen), tmp_path / "o.zip", size, crop)
    names = [f"00000/img{int(i):08d}.png" for i in numbers]
    digest = hashlib.sha256()
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.namelist() == [*names, "dataset.json"]
        for name in names:
            with archive.open(name) as file:
                digest.update(Image.open(file).tobytes())
        found = json.loads(archive.read("dataset.json"))
    assert found == {"labels": [[n, int(k)] for n, k in zip(names, labels, strict=True)]}
    assert digest.hexdigest()[:32] == pixels


def test_same_bytes_in_any_order_of_writing(tmp_path: Path) -> None:
    for name, pictures in (("one", PICTURES), ("two", PICTURES[::-1])):
        source = write_pictures(tmp_path / name, pictures)
        folder(source, tmp_path / f"{name}.zip", "16x16", CROP)
        folder(source, tmp_path / f"{name}-again.zip", "16x16", CROP)
    first, *others = (path.read_bytes() for path in tmp_path.glob("*.zip"))
    assert len(others) == 3
    assert all(other == first for other in others)


def test_imagenet_is_cropped_and_labelled(tmp_path: Path) -> None:
    pictures = [(f"n{i:08d}/{i}.png", "RGB", 96 + i, 128) for i in (7, 3, 5)]
    pictures += [("n00000005/grey.png", "L", 70, 90)]
    source = write_pictures(tmp_path / "train", pictures)
    written, warnings = prepare(DataSet.IMAGENET64, source, tmp_path / "i.zip", quiet=True)
    folder(source, tmp_path / "f.zip", "64x64", CROP)
    assert (tmp_path / "i.zip").read_bytes() == (tmp_path / "f.zip").read_bytes()
    labels = read_zip(tmp_path / "i.zip").labels
    assert labels is not None
    assert labels.tolist() == [0, 1, 1, 2]
    assert str(written) == "4 images, 3x64x64, 3 classes"
    assert "1281167 images in 1000 classes" in warnings[0]


@pytest.mark.parametrize(("dataset", "n"), [(DataSet.FFHQ64, 70000), (DataSet.AFHQV2_64, 15803)])
def test_ffhq_and_afhq_are_stretched(tmp_path: Path, dataset: DataSet, n: int) -> None:
    source = write_pictures(tmp_path / "source", [("0/a.png", "RGB", 96, 128)])
    _, warnings = prepare(dataset, source, tmp_path / "p.zip", quiet=True)
    folder(source, tmp_path / "f.zip", "64x64")
    assert (tmp_path / "p.zip").read_bytes() == (tmp_path / "f.zip").read_bytes()
    assert f"has {n} images" in warnings[0]


def test_labels_from_dataset_json(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "s", [("b.png", "L", 4, 4), ("d/a.png", "L", 4, 4)])
    labels = source / "dataset.json"
    labels.write_text('{"labels": [["d/a.png", 1], ["none.png", 7], ["b.png", 5]]}')
    folder(source, tmp_path / "o.zip")
    data = read_zip(tmp_path / "o.zip")
    assert data.labels is not None
    assert data.labels.tolist() == [5, 1]
    labels.write_text('{"labels": [["b.png", 5]]}')
    with pytest.raises(UserError, match=r"s/dataset.json: has no label for d/a.png$"):
        folder(source, tmp_path / "o.zip")
    labels.write_text('{"labels": [["d/a.png", 1], ["b.png", 5], ["d/a.png", 2]]}')
    with pytest.raises(UserError, match=r"s: dataset.json: .*d/a.png stands there twice; leave"):
        folder(source, tmp_path / "o.zip")
    labels.write_text('{"labels": [["b.png", [0.5, 1]]]}')
    with pytest.raises(UserError, match=r"s: dataset.json: the label of b.png is \[0.5, 1\]"):
        folder(source, tmp_path / "o.zip")


def test_one_folder_gives_no_labels(tmp_path: Path) -> None:
    folder(write_pictures(tmp_path / "s", [("d/a.png", "L", 4, 4)]), tmp_path / "o.zip")
    assert read_zip(tmp_path / "o.zip").labels is None


def test_hidden_folders_are_no_classes_and_links_are_watched(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "s", [(f"{k}/a.png", "L", 4, 4) for k in "xyz"])
    (source / "x").rename(source / ".x")
    (source / "y" / "._a.png").write_bytes(b"resource fork")
    (source / ".empty").mkdir()
    folder(source, tmp_path / "o.zip")
    labels = read_zip(tmp_path / "o.zip").labels
    assert labels is not None
    assert labels.tolist() == [0, 1]
    (source / "y" / "loop").symlink_to(source)
    with pytest.raises(UserError, match=r"y/loop: a link to a folder around it; remove it"):
        folder(source, tmp_path / "p.zip")
    assert not (tmp_path / "p.zip").exists()


@pytest.mark.parametrize("mode", ["CMYK", "P", "RGBA", "LA", "1", "YCbCr"])
def test_other_colour_models_become_rgb(tmp_path: Path, mode: str) -> None:
    """Black and white are exact in each of them; EDM's tool stops or gives a palette's numbers."""
    tile = np.kron(np.eye(2), np.full((8, 8), 255)).astype(np.uint8)
    (tmp_path / "s").mkdir()
    path = tmp_path / "s" / "tile.tif"
    Image.fromarray(tile).convert("RGB").convert(mode).save(path)
    with Image.open(path) as image:
        assert image.mode == mode
    warnings = folder(tmp_path / "s", tmp_path / "o.zip")
    assert np.array_equal(read_zip(tmp_path / "o.zip").images[0], np.stack([tile] * 3))
    assert warnings == [
        f"1 images were neither grey nor RGB and became RGB, the first {path} ({mode})"
    ]


def test_what_cannot_be_taken_is_named(tmp_path: Path) -> None:
    whole = encoded(picture("RGB", 101, 67), "png")
    for name, content, message in (
        ("b/y.png", whole[:300], r"/b/y.png: cannot be read \(.*\); replace it or remove it"),
        ("c/readme.txt", b"", r"/c: holds no images; fill it or remove it"),
        ("stray.png", whole, r"/stray.png: lies beside the class folders; move it"),
    ):
        source = write_pictures(tmp_path / name[:1], PICTURES)
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(content)
        with pytest.raises(UserError, match=message) as caught:
            folder(source, tmp_path / "out" / "o.zip", "32x32", CROP)
        assert "\n" not in str(caught.value)
        assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("pictures", "size", "crop", "message"),
    [
        ([("a.png", "L", 8, 8), ("b.png", "L", 16, 16)], None, NONE, r"b.png: is \(1, 16, 16\)"),
        ([("a.png", "L", 8, 9)], None, NONE, r"a.png: makes images of 8x9.*give --resolution"),
        ([("a.png", "L", 9, 9)], None, NONE, r"a.png: makes images of 9x9.*power of two"),
        ([("a.png", "L", 9, 9)], "8x4", CROP, r"--resolution 8x4: makes images of 8x4"),
        ([("a.png", "L", 9, 9)], "4x8", WIDE, r"--resolution 4x8: makes images of 4x8"),
        ([("a.png", "L", 9, 9)], "8", CROP, r"--resolution 8: not WxH"),
        ([("a.png", "L", 9, 9)], "0x0", CROP, r"--resolution 0x0: makes images of 0x0"),
        ([("a.png", "L", 9, 9)], None, DHARIWAL, r"--transform center-crop-dhariwal: needs a size"),
        ([("a.png", "L", 9, 9)], "16x8", WIDE, r"every image is smaller than --resolution"),
        ([], None, NONE, r"source: no such folder"),
    ],
)
def test_sizes_that_do_not_fit(
    tmp_path: Path,
    pictures: list[tuple[str, str, int, int]],
    size: str | None,
    crop: Transform,
    message: str,
) -> None:
    source = write_pictures(tmp_path / "source", pictures)
    with pytest.raises(UserError, match=message):
        folder(source, tmp_path / "o.zip", size, crop)
    assert not (tmp_path / "o.zip").exists()


def test_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "readme.txt").write_text("nothing here")
    with pytest.raises(UserError, match=r"s: holds no images"):
        folder(tmp_path / "s", tmp_path / "o.zip")


def test_command(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "s", [("a/x.png", "RGB", 70, 64), ("b/y.png", "L", 65, 90)])
    out = ("--out", tmp_path / "o.zip")
    done = sid("data", "prepare", "imagenet64", source, *out)
    assert done.stdout == f"{tmp_path / 'o.zip'}: 2 images, 3x64x64, 2 classes\n"
    assert "imagenet64: 2/2 images in" in done.stderr
    assert "warning: " in done.stderr
    done = sid("data", "prepare", "ffhq64", source, "--resolution", "32x32", *out)
    refused(done, "error: --resolution and --transform: ffhq64 has its own")
