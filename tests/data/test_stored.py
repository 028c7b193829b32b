"""What a file stores is judged by the file: other depths, hidden channels, several pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sid.data.sets.published import DataSet, prepare
from sid.data.sources import read_images
from sid.data.zips import read_zip
from sid.errors import UserError
from tests.data.files import encoded, patched, png, tiff

GREY = np.arange(16).reshape(4, 4)
SMALL = np.stack([GREY, GREY + 16, GREY + 32, GREY + 48], axis=2).astype(np.uint8)
DEEP = np.full((4, 4, 4), 4095)  # 12 bits, as cameras and microscopes have.
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))
LEVELS = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
FRAMES = {"save_all": True, "append_images": [NOISE.rotate(90)]}
TURNED = {"save_all": True, "append_images": [LEVELS.rotate(90)]}


def scaled(bits: int) -> list[int]:
    return [round(int(level) * 255 / (2**bits - 1)) for level in (GREY % 2**bits).flat]


def netpbm(kind: int, maximum: int, *, plain: bool = False) -> bytes:
    """16 or 48 numbers 0, 1, ... modulo the maximum and one."""
    values = (np.arange(48 if kind in (3, 6) else 16) % (maximum + 1)).astype(">u2")
    body = " ".join(map(str, values)).encode()
    if not plain:
        body = values.astype(">u2" if maximum > 255 else "u1").tobytes()
    return b"P%d 4 4 %d\n" % (kind, maximum) + body


def avif(bits: int) -> bytes:
    """An AVIF that says so many bits in both of its places."""
    content = patched(encoded(NOISE, "avif"), b"av1C", 2, {10: 0x4C, 12: 0x6C}[bits])
    for channel in range(3):
        content = patched(content, b"pixi", 5 + channel, bits)
    return content


TAKEN = {
    "grey of 2 bits.png": (png(GREY % 4, 2, "grey"), scaled(2)),
    "grey of 4 bits.png": (png(GREY, 4, "grey"), scaled(4)),
    "gamma.png": (png(GREY, 8, "grey", (b"gAMA", bytes(3) + b"\x01")), GREY.ravel().tolist()),
    "white is zero.tif": (tiff(SMALL[:, :, :1], photometric=0), (255 - GREY).ravel().tolist()),
    "maximum 15.pgm": (netpbm(5, 15), scaled(4)),
    "maximum 15, plain.pgm": (netpbm(2, 15, plain=True), scaled(4)),
    "maximum 100.pgm": (netpbm(5, 100), [round(v * 2.55) for v in range(16)]),
    "line end after.pgm": (netpbm(5, 255) + b"\n", list(range(16))),
    "dark palette.bmp": (encoded(Image.fromarray(GREY.astype(np.uint8)), "bmp"), list(range(16))),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", TAKEN)
def test_fewer_bits_are_scaled_as_the_format_says(tmp_path: Path, name: str) -> None:
    content, levels = TAKEN[name]
    for i in range(2):
        (tmp_path / f"{i} {name}").write_bytes(content)
    assert read_images(tmp_path).images[1].ravel().tolist() == levels
    prepare(DataSet.FOLDER, tmp_path, tmp_path / "o.zip", quiet=True)
    assert read_zip(tmp_path / "o.zip").images[1].ravel().tolist() == levels


TOO_DEEP = {
    "rgb.png": (png(DEEP[:, :, :3], 16, "rgb"), 16),
    "rgb with alpha.png": (png(DEEP, 16, "rgb alpha"), 16),
    "grey.png": (png(DEEP[:, :, 0], 16, "grey"), 16),
    "grey with alpha.png": (png(DEEP[:, :, :2], 16, "grey alpha"), 16),
    "rgb.tif": (tiff(DEEP[:, :, :3].astype(np.uint16), photometric=2), 16),
    "rgb and more.tif": (tiff(DEEP.astype(np.uint16), photometric=2, extra=1), 16),
    "grey.tif": (tiff(DEEP[:, :, :1].astype(np.uint16), photometric=1), 16),
    "fractions.tif": (tiff(DEEP[:, :, :1].astype(np.float32), photometric=1, kind=3), 32),
    "rgb.ppm": (netpbm(6, 65535), 16),
    "12 bits.ppm": (netpbm(6, 4095), 12),
    "256.ppm": (netpbm(6, 256), 9),
    "plain.ppm": (netpbm(3, 1023, plain=True), 10),
    "grey.pgm": (netpbm(5, 65535), 16),
    "12 bits.pgm": (netpbm(5, 4095), 12),
    "fractions.pfm": (b"Pf 4 4 -1.0\n" + bytes(64), 32),
    "12 bits.jpg": (patched(encoded(NOISE, "jpeg"), b"\xff\xc0", 2, 12), 12),
    "16 bits.jp2": (patched(encoded(NOISE, "jpeg2000"), b"\xff\x4f\xff\x51", 38, 15), 16),
    "4 bits.jp2": (patched(encoded(NOISE, "jpeg2000"), b"\xff\x4f\xff\x51", 38, 3), 4),
    "10 bits.avif": (avif(10), 10),
    "12 bits.avif": (avif(12), 12),
}


@pytest.mark.parametrize("name", TOO_DEEP)
def test_other_depths_are_refused(tmp_path: Path, name: str) -> None:
    content, bits = TOO_DEEP[name]
    for i in range(2):
        (tmp_path / f"{i} {name}").write_bytes(content)
    message = rf"0 {name} is of {bits} bits a channel, and 8 are read; bring its values to 0 .. 255"
    with pytest.raises(UserError, match=message):
        read_images(tmp_path)
    with pytest.raises(UserError, match=message.replace(" is of", ": is of")):
        prepare(DataSet.FOLDER, tmp_path, tmp_path / "o.zip", quiet=True)
    assert not (tmp_path / "o.zip").exists()


def test_signed_numbers_are_refused(tmp_path: Path) -> None:
    content = tiff((GREY[:, :, None] - 8).astype(np.int8), photometric=1, kind=2)
    for i in range(2):
        (tmp_path / f"{i}.tif").write_bytes(content)
    with pytest.raises(UserError, match=r"0\.tif is of signed numbers or fractions; save 0"):
        read_images(tmp_path)


MORE = {
    "frames.png": (encoded(NOISE, "png", **FRAMES), "several pictures"),
    "frames.webp": (encoded(NOISE, "webp", **FRAMES, lossless=True), "several pictures"),
    "frames.tif": (encoded(NOISE, "tiff", **FRAMES), "several pictures"),
    "frames.gif": (encoded(LEVELS, "gif", **TURNED), "several pictures"),
    "frames.avif": (encoded(NOISE, "avif", **FRAMES), "several pictures"),
    "frames.ppm": (2 * netpbm(6, 255), "several pictures"),
    "frames.pgm": (2 * netpbm(5, 255), "several pictures"),
    "one level transparent.png": (png(GREY, 8, "grey", (b"tRNS", b"\0\3")), "transparency"),
    "one colour transparent.png": (
        png(SMALL[:, :, :3], 8, "rgb", (b"tRNS", bytes(6))),
        "transparency",
    ),
    "fourth.tif": (tiff(SMALL, photometric=2, extra=1), "channels beside its colours"),
    "second.tif": (tiff(SMALL[:, :, :2], photometric=1, extra=1), "channels beside its colours"),
}


@pytest.mark.parametrize("name", MORE)
def test_what_is_more_than_a_picture_is_told(tmp_path: Path, name: str) -> None:
    """Refused where images are measured; where they are prepared, the first picture is taken."""
    content, more = MORE[name]
    for i in range(2):
        (tmp_path / f"{i} {name}").write_bytes(content)
    with pytest.raises(UserError, match=rf"0 {name} is one that holds {more}; convert the images"):
        read_images(tmp_path)
    _, warnings = prepare(DataSet.FOLDER, tmp_path, tmp_path / "o.zip", quiet=True)
    assert any("2 files hold more than one grey or RGB picture" in told for told in warnings)
    assert any(f"0 {name} ({more})" in told for told in warnings)
    with Image.open(tmp_path / f"0 {name}") as image:
        first = np.asarray(image)
    found = np.asarray(read_zip(tmp_path / "o.zip").images[0])
    assert np.array_equal(found.transpose(1, 2, 0).squeeze(), first)


def test_a_photograph_with_previews_is_one_image(tmp_path: Path) -> None:
    """Phones append pictures to a JPEG; the file's first is the photograph."""
    for i in range(2):
        (tmp_path / f"{i}.jpg").write_bytes(encoded(NOISE, "mpo", **FRAMES))
    data = read_images(tmp_path)
    with Image.open(tmp_path / "0.jpg") as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("MPO", 2)
        assert np.array_equal(data.images[0].transpose(1, 2, 0), np.asarray(image))


def test_photographs_that_ask_to_be_turned_are_counted(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    exif = Image.Exif()
    for i, orientation in enumerate((1, 6, 8)):
        exif[274] = orientation
        NOISE.save(tmp_path / "s" / f"{i}.jpg", exif=exif)
    _, warnings = prepare(DataSet.FOLDER, tmp_path / "s", tmp_path / "o.zip", quiet=True)
    (told,) = warnings
    assert told.startswith("2 images ask to be turned by their EXIF orientation, and are not")
    assert told.endswith("1.jpg")


def test_files_of_other_kinds_do_no_harm(tmp_path: Path) -> None:
    """Pillow knows these names too: data, films, documents, sources of pictures."""
    names = ("features.h5", "x.hdf", "x.grib", "film.mpg", "figure.eps", "figure.pdf", "x.wmf")
    for name in (*names, "desk.ico", "source.psd", "x.fits", "log.txt", "notes.ps"):
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n" if name.endswith("5") else b"%!PS")
    NOISE.save(tmp_path / "a.png")
    NOISE.save(tmp_path / "b.PNG")
    assert len(read_images(tmp_path)) == 2
    prepare(DataSet.FOLDER, tmp_path, tmp_path / "o.zip", quiet=True)
    assert len(read_zip(tmp_path / "o.zip")) == 2
    (tmp_path / "c.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n")
    with pytest.raises(UserError, match=r"c\.png is damaged \(no image\)"):  # And nothing runs it.
        read_images(tmp_path)


@pytest.mark.parametrize("top", [1, 15, 31, 32])
def test_numbers_of_a_smaller_range_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], top: int
) -> None:
    """0 to 1 as uint8, or 4 bits: no file says so, but the images do."""
    images = np.random.default_rng(0).integers(0, top + 1, (9, 4, 4, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = top
    np.save(tmp_path / "x.npy", images)
    (tmp_path / "f").mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "f" / f"{i}.png")
    for path in (tmp_path / "x.npy", tmp_path / "f"):
        read_images(path)
        told = capsys.readouterr().err
        assert (told.startswith(f"warning: {path}: no pixel looked at is above 31")) == (top < 32)
    _, warnings = prepare(DataSet.FOLDER, tmp_path / "f", tmp_path / "o.zip", quiet=True)
    assert any("no pixel looked at is above 31 of 255" in told for told in warnings) == (top < 32)


def test_one_bright_image_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = np.zeros((1000, 5, 5), np.uint8)
    images[640] = 255  # Every 16th is looked at.
    np.save(tmp_path / "x.npy", images)
    read_images(tmp_path / "x.npy")
    assert not capsys.readouterr().err
