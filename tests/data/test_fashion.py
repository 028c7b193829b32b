"""Fashion-MNIST's code on files of its format: sizes, splits, hashes, a real web server."""

import functools
import gzip
import hashlib
import http.server
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from sid.data.sets import fashion_mnist as module
from sid.data.sets.fashion_mnist import fashion_mnist
from sid.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 10


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four small IDX files, two gzipped, whose hashes are taken for the published."""
    for prefix, packed in (("train", True), ("t10k", False)):
        images = struct.pack(">4B3I", 0, 0, 8, 3, 20, 28, 28) + IMAGES.tobytes()
        labels = struct.pack(">4B1I", 0, 0, 8, 1, 20) + LABELS.tobytes()
        for kind, content in (("images-idx3", images), ("labels-idx1", labels)):
            name = f"{prefix}-{kind}-ubyte"
            monkeypatch.setitem(module.SHA256, name, hashlib.sha256(content).hexdigest())
            path = tmp_path / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(content) if packed else content)
    return tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_and_labels(source: Path, split: str) -> None:
    images, labels = fashion_mnist(str(source), split, 28)
    assert np.array_equal(images[:, 0], IMAGES)
    assert np.array_equal(labels, LABELS)


def test_smaller_size(source: Path) -> None:
    images, _ = fashion_mnist(str(source), "train", 16)
    assert images.shape == (20, 1, 16, 16)
    assert images.dtype == np.uint8
    assert abs(images.mean() - IMAGES.mean()) < 2


def test_from_a_url(source: Path) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(source))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        images, _ = fashion_mnist(url, "train", 28)
        with pytest.raises(UserError, match=r"t10k-images.*cannot be fetched .*404.*--source"):
            fashion_mnist(url, "test", 28)
        server.shutdown()
    assert np.array_equal(images[:, 0], IMAGES)


def test_other_content_is_refused(source: Path) -> None:
    path = source / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(b"other"))
    with pytest.raises(UserError, match=r"labels.*: not the published .*SHA-256 differs"):
        fashion_mnist(str(source), "train", 28)
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        fashion_mnist(str(source), "train", 28)
    path.unlink()
    with pytest.raises(UserError, match="no such file; --source needs the four IDX files"):
        fashion_mnist(str(source), "train", 28)
