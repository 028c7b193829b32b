"""Reference statistics: any tool's are read, ours come back, no covariance is named."""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.features.moments import Gaussian, gaussian_of
from sid.evaluate.features.statistics import Statistics, read_statistics, write_statistics
from sid.evaluate.reference import read_reference
from sid.files import sha256

RNG = np.random.default_rng(0)
GAUSSIAN = gaussian_of(RNG.normal(size=(50, 6)))
OURS = Statistics(
    name="digits",
    gaussian=GAUSSIAN,
    count=50,
    extractor="digits-cnn",
    extractor_sha256="ab" * 32,
    divisor="N-1",
    data_sha256="cd" * 32,
    resolution="1x8x8",
    preprocessing="none",
)


def foreign(path: Path, **arrays: Any) -> Path:
    """As EDM and pytorch-fid write theirs."""
    np.savez(path, **{"mu": GAUSSIAN.mean, "sigma": GAUSSIAN.covariance, **arrays})
    return path


def test_ours_come_back(tmp_path: Path) -> None:
    paths = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for path in paths:
        write_statistics(path, OURS)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = read_statistics(paths[0])
    assert np.array_equal(found.gaussian.mean, GAUSSIAN.mean)
    assert np.array_equal(found.gaussian.covariance, GAUSSIAN.covariance)
    assert found.sha256 == sha256(paths[0])
    assert dataclasses.replace(found, gaussian=GAUSSIAN, sha256="") == OURS
    with np.load(paths[0], allow_pickle=False) as arrays:  # Nothing of it needs a pickle.
        assert {key: arrays[key].dtype.kind for key in ("mu", "n", "extractor")} == {
            "mu": "f",
            "n": "i",
            "extractor": "U",
        }


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_those_of_others_are_read(tmp_path: Path, kind: type[np.floating[Any]]) -> None:
    path = tmp_path / "cifar10-32x32.npz"
    foreign(path, mu=GAUSSIAN.mean.astype(kind), sigma=GAUSSIAN.covariance.astype(kind))
    found = read_statistics(path)
    assert (found.name, found.count, found.extractor) == ("cifar10-32x32", None, "")
    assert found.gaussian.covariance.dtype == np.float64
    np.testing.assert_allclose(found.gaussian.covariance, GAUSSIAN.covariance, rtol=1e-6)


def test_rank_deficient_and_constant_features_are_no_fault(tmp_path: Path) -> None:
    features = RNG.normal(size=(20, 100)).astype(np.float32)
    single = np.cov(features, rowvar=False, dtype=np.float32)
    assert np.linalg.eigvalsh(single.astype(float)).min() < 0  # By rounding.
    for sigma in (single, np.zeros((100, 100))):
        path = foreign(tmp_path / "s.npz", mu=np.zeros(100), sigma=sigma)
        assert np.array_equal(read_statistics(path).gaussian.covariance, sigma)


def changed(**entries: float) -> np.ndarray:
    """The covariance with some of its entries changed, `r1c2=3.0`."""
    sigma = GAUSSIAN.covariance.copy()
    for key, value in entries.items():
        sigma[int(key[1]), int(key[3])] = value
    return sigma


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": ({"mu": np.full(6, np.nan)}, "mu holds NaN or infinity"),
    "infinity": ({"sigma": changed(r0c0=np.inf)}, "sigma holds NaN or infinity"),
    "not square": ({"sigma": np.ones((6, 5))}, "mu is (6,) and sigma (6, 5); wanted (d,) and (d,"),
    "other width": ({"mu": np.zeros(5)}, "mu is (5,) and sigma (6, 6)"),
    "nothing": ({"mu": np.zeros(0), "sigma": np.zeros((0, 0))}, "mu is (0,) and sigma (0, 0)"),
    "skew": ({"sigma": changed(r0c1=0.5)}, "sigma is not symmetric"),
    "negative": ({"sigma": changed(r2c2=-0.01)}, "sigma has negative eigenvalues"),
    "hollow": ({"sigma": np.ones((6, 6)) - np.eye(6)}, "sigma has negative eigenvalues"),
    "integers": ({"mu": np.zeros(6, int)}, "mu holds int64, not float64"),
    "objects": ({"mu": np.array([{}] * 6)}, "damaged, or no statistics (Object arrays cannot be"),
    "many counts": ({"n": np.array([3, 4])}, "damaged, or no statistics"),
    "endless": ({"n": np.inf}, "damaged, or no statistics (cannot convert float infinity"),
    "half an image": ({"n": 3.5}, "damaged, or no statistics (n is 3.5, not a number of images)"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_covariance_is_named(tmp_path: Path, what: str) -> None:
    arrays, message = BAD[what]
    with pytest.raises(UserError) as caught:
        read_statistics(foreign(tmp_path / "bad.npz", **arrays))
    assert str(caught.value).startswith(f"{tmp_path / 'bad.npz'}: {message}")
    assert "\n" not in str(caught.value)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = foreign(tmp_path / "x.npz")
    whole = path.read_bytes()
    for content, message in (
        (b"", r"x\.npz: not an npz file \(File is not a zip file\); make it again"),
        (b"\x80\x04]", r"x\.npz: not an npz file"),
        (whole[:-40], r"x\.npz: not an npz file"),
        (whole.replace(GAUSSIAN.mean.tobytes(), bytes(48)), r"x\.npz: damaged, or .*Bad CRC-32"),
    ):
        path.write_bytes(content)
        for read in (read_statistics, read_reference):
            with pytest.raises(UserError, match=message):
                read(path)
    for path, message in ((tmp_path / "none.npz", "no such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UserError, match=message):
            read_statistics(path)


def test_members_without_npy(tmp_path: Path) -> None:
    path, arrays = tmp_path / "x.npz", foreign(tmp_path / "y.npz")
    with zipfile.ZipFile(arrays) as source, zipfile.ZipFile(path, "w") as archive:
        for key in ("mu", "sigma"):
            archive.writestr(key, source.read(f"{key}.npy"))
    assert np.array_equal(read_statistics(path).gaussian.mean, GAUSSIAN.mean)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mu", b"no array")
        archive.writestr("sigma", b"no array")
    for read in (read_statistics, read_reference):
        with pytest.raises(UserError, match=r"x\.npz: mu is no array; make the statistics again"):
            read(path)


def test_an_npz_is_what_its_keys_say(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images)
    assert isinstance(read_reference(tmp_path / "images.npz"), ImageSet)
    assert isinstance(read_reference(foreign(tmp_path / "moments.NPZ.npz")), Statistics)
    both = foreign(tmp_path / "both.npz", arr_0=images)  # OpenAI's: statistics of all images.
    assert isinstance(read_reference(both), Statistics)
    np.savez(tmp_path / "neither.npz", mean=np.zeros(6), sigma=np.eye(6))
    with pytest.raises(UserError, match=r"holds mean, sigma; wanted `arr_0` \(images\) or `mu`"):
        read_reference(tmp_path / "neither.npz")
    with pytest.raises(UserError, match=r"holds mean, sigma; wanted `mu` and `sigma`"):
        read_statistics(tmp_path / "neither.npz")
    np.save(tmp_path / "images.npy", images)
    assert isinstance(read_reference(tmp_path / "images.npy"), ImageSet)
    with zipfile.ZipFile(tmp_path / "pictures.npz", "w") as archive:
        archive.writestr("00000/img\n.png", b"")
    with pytest.raises(UserError, match="wanted `arr_0`"):
        read_reference(tmp_path / "pictures.npz")


def test_only_their_own_extractor(tmp_path: Path) -> None:
    OURS.check(6, "digits-cnn", "ab" * 32)
    with pytest.raises(UserError, match="digits: statistics of 6 features, but other has 7; give"):
        OURS.check(7, "other", "")
    with pytest.raises(UserError, match="digits: statistics of digits-cnn, not of other; give"):
        OURS.check(6, "other", "ab" * 32)
    with pytest.raises(UserError, match=r"other weights \(sha256 abababababab, not efefefefefef\)"):
        OURS.check(6, "digits-cnn", "ef" * 32)


def test_nameless_ones_are_the_published() -> None:
    wide = Statistics("ffhq", Gaussian(np.zeros(2048), np.eye(2048)), None)
    wide.check(2048, "inception-2015", "ab" * 32)
    with pytest.raises(UserError, match=r"ffhq: .* taken for those of inception-2015 \(2048 f"):
        wide.check(2048, "other", "ab" * 32)
    with pytest.raises(UserError, match="statistics of 2048 features, but dinov2-vitl14 has 1024"):
        wide.check(1024, "dinov2-vitl14", "ab" * 32)
    with pytest.raises(UserError, match="do not name their extractor"):
        Statistics("x", GAUSSIAN, None).check(6, "inception-2015", "ab" * 32)
