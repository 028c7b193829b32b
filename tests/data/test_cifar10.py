"""CIFAR-10's archive as Python 2 wrote it: order, labels, and nothing in it is run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from sid.data.sets.published import DataSet, prepare
from sid.data.zips import read_zip
from sid.errors import UserError
from workflow.rehearsal.cifar10 import python2_pickle, write_archive

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3, 32, 32), dtype=np.uint8)
LABELS = np.random.default_rng(1).integers(0, 10, (5, 4)).tolist()
BATCHES = {f"data_batch_{i + 1}": python2_pickle(IMAGES[i], LABELS[i]) for i in range(5)}
# The published archive has the files in another order, and a test batch.
SHUFFLED = {f"data_batch_{i}": BATCHES[f"data_batch_{i}"] for i in (4, 1, 5, 3, 2)}


def convert(tmp_path: Path, batches: dict[str, bytes]) -> list[str]:
    archive = write_archive(tmp_path / "cifar.tar.gz", batches)
    return prepare(DataSet.CIFAR10, archive, tmp_path / "c.zip", quiet=True)[1]


def test_images_and_labels_in_order(tmp_path: Path) -> None:
    others = {"test_batch": python2_pickle(IMAGES[0], LABELS[0])}
    warnings = convert(tmp_path, SHUFFLED | others)
    data = read_zip(tmp_path / "c.zip")
    assert np.array_equal(data.images, IMAGES.reshape(20, 3, 32, 32))
    assert data.labels is not None
    assert data.labels.tolist() == [k for batch in LABELS for k in batch]
    assert "cifar.tar.gz: not the published archive" in warnings[0]
    assert "holds 20 images, 3x32x32, 10 classes, but the published cifar10 has" in warnings[1]


def test_python_3_gives_the_same_bytes(tmp_path: Path) -> None:
    convert(tmp_path, BATCHES)
    expected = (tmp_path / "c.zip").read_bytes()
    modern = {
        f"data_batch_{i + 1}": pickle.dumps(
            {"labels": LABELS[i], "data": IMAGES[i].reshape(4, -1)}, protocol=protocol
        )
        for i, protocol in enumerate((2, 2, 3, 4, 4))
    }
    convert(tmp_path, modern)
    assert (tmp_path / "c.zip").read_bytes() == expected


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (pickle.dumps(Evil()), "data_batch_3"),
        (BATCHES["data_batch_3"][:5000], "data_batch_3"),
        (pickle.dumps([1, 2]), "holds no `data` and `labels`"),
        (pickle.dumps({"data": IMAGES[0].tolist(), "labels": [0]}), "`data` is not uint8"),
        (pickle.dumps({"data": IMAGES[0], "labels": [0]}), r"`data` is not uint8 \[N, 3072\]"),
        (python2_pickle(IMAGES[0], LABELS[0][:3]), "`labels` are not 4 numbers 0 to 9"),
        (python2_pickle(IMAGES[0], [0, 1, 2, 10]), "`labels` are not 4 numbers 0 to 9"),
    ],
)
def test_other_batches_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        convert(tmp_path, BATCHES | {"data_batch_3": batch})
    where = f"{tmp_path}/cifar.tar.gz: cifar-10-batches-py/data_batch_3"
    assert str(caught.value).startswith(where)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar.tar.gz"]


def test_other_archives_are_refused(tmp_path: Path) -> None:
    out, archive = tmp_path / "c.zip", tmp_path / "cifar.tar.gz"
    with pytest.raises(UserError, match=r"cifar.tar.gz: no such file; download https"):
        prepare(DataSet.CIFAR10, archive, out, quiet=True)
    write_archive(archive, {"data_batch_1": BATCHES["data_batch_1"]})
    with pytest.raises(UserError, match=r"data_batch_2: not in the archive; download"):
        prepare(DataSet.CIFAR10, archive, out, quiet=True)
    whole = write_archive(archive, BATCHES).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"no archive", b""):
        archive.write_bytes(damaged)
        with pytest.raises(UserError, match=r"cifar.tar.gz: cannot be read \(.*\); download"):
            prepare(DataSet.CIFAR10, archive, out, quiet=True)
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        prepare(DataSet.CIFAR10, tmp_path, out, quiet=True)
    assert not out.exists()
