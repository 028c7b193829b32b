"""The route of the true FID, end to end, on random weights in the formats of the published files.

One random Inception is written twice: as a TorchScript program with the interface of NVIDIA's, and
as the state dict that torch-fidelity and clean-fid's mode legacy_pytorch read. What all make of
them must agree as far as resizing is the same.
"""

import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.extractors import Extractor, load_extractor
from sid.evaluate.extractors.published import PROGRAM, STATE
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.implementations import IMPLEMENTATIONS
from sid.evaluate.implementations.clean import torchscript
from sid.evaluate.implementations.libraries import clean_fid, torch_fidelity, torchvision
from sid.evaluate.metrics.kernel import kernel_distance
from sid.files import sha256
from workflow.rehearsal.inception import save_program

Sides = tuple[ImageFeatures, ImageFeatures]
N, FEW = 10, 3  # The score's ten splits want an image each; an image takes a third of a second.
SAME_RESIZING = ("torch-fidelity", "clean-fid", "clean-fid-legacy_tensorflow")


def write_weights(folder: Path) -> None:
    """Both files, of the same random network."""
    torch.manual_seed(0)
    network = torchvision.models.inception_v3(
        num_classes=1008, aux_logits=False, init_weights=False
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    torch.save(network.state_dict(), folder / STATE)
    made = torch_fidelity.FeatureExtractorInceptionV3("own", ["2048"], str(folder / STATE))
    *steps, output = made.children()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        layers = torch.jit.trace(nn.Sequential(*steps), torch.zeros(1, 3, 299, 299))  # type: ignore[no-untyped-call]
    save_program(folder / PROGRAM, layers, output)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder with both, and a table of files that has their checksums."""
    files = tmp_path_factory.mktemp("the cache") / "files"
    files.mkdir()
    write_weights(files)
    table = files / "files.csv"
    rows = [
        f"{name},detector,https://none.invalid/{name},{sha256(files / name)},,random,here"
        for name in (PROGRAM, STATE)
    ]
    table.write_text("\n".join(["name,kind,url,sha256,bytes,purpose,source", *rows]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SID_CACHE", str(files.parent))
        patch.setenv("SID_PUBLISHED", str(files))
        yield files


@pytest.fixture(scope="module")
def inception() -> Extractor:
    return load_extractor("inception-2015")


@pytest.fixture(scope="module")
def sides(inception: Extractor, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    return seen(inception, N, tmp_path_factory)


@pytest.fixture(scope="module")
def few(inception: Extractor, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    return seen(inception, FEW, tmp_path_factory)


def seen(inception: Extractor, n: int, folders: pytest.TempPathFactory) -> Sides:
    """Generated images, `n` of them, and a few real ones."""
    images = np.random.default_rng(0).integers(0, 256, (2, n, 1, 28, 28), dtype=np.uint8)
    images[0, :, :, ::2] //= 3  # Stripes, which a resize kernel blurs or does not.
    one, other = (
        ImageFeatures(ImageSet(name, side, None, name), inception, folders.mktemp(name))
        for name, side in (("generated", images[0]), ("real", images[1, :FEW]))
    )
    return one, other


def value(name: str, sides: Sides, metric: str) -> float:
    (found,) = IMPLEMENTATIONS[name]().evaluate(*sides, [metric], 0)
    assert found.metric == metric
    return found.value


def test_names_and_weights(inception: Extractor, sides: Sides, cache: Path) -> None:
    program, state = sha256(cache / PROGRAM), sha256(cache / STATE)
    assert (inception.name, inception.sha256) == ("inception-2015", program)
    for name in IMPLEMENTATIONS:
        one = IMPLEMENTATIONS[name]()
        by_state = name in ("torch-fidelity", "clean-fid-legacy_pytorch")
        assert one.weights(sides[0]) == (state if by_state else program)
        assert "299x299" in one.preprocessing(sides[0])


def test_kernel_distances_through_every_own_network(few: Sides) -> None:
    ours = value("ours", few, "kernel_distance")
    for name in SAME_RESIZING:
        assert value(name, few, "kernel_distance") == pytest.approx(ours, rel=1e-3), name


def to_unit(x: Tensor) -> Tensor:
    """What makes (x - 128) / 128 of the program the x / 127.5 - 1 of clean-fid's PyTorch mode."""
    return (x / 127.5 - 1) * 128 + 128


@pytest.mark.parametrize(("mode", "levels"), [("clean", lambda x: x), ("legacy_pytorch", to_unit)])
def test_clean_fid_s_own_resizing_and_network(
    mode: str, levels: Callable[[Tensor], Tensor], few: Sides, inception: Extractor
) -> None:
    resize = clean_fid.build_resizer(mode)
    both = []
    for side in few:
        pictures = np.repeat(side.images.images[:], 3, axis=1).transpose(0, 2, 3, 1)
        large = np.stack([resize(picture) for picture in pictures]).transpose(0, 3, 1, 2)
        # At 299x299 the program does not resize any more.
        features, _ = inception.features_and_logits(levels(torch.from_numpy(large)))
        both.append(features.numpy())
    found = value(f"clean-fid-{mode}", few, "kernel_distance")
    assert found == pytest.approx(kernel_distance(*both, 20, FEW, 0).value, rel=1e-3)
    assert found != pytest.approx(value("ours", few, "kernel_distance"), rel=1e-2)


def test_frechet_distance_and_score_of_torch_fidelity_s_own(sides: Sides) -> None:
    metrics = ["frechet_distance", "inception_score"]
    ours, theirs = (
        {one.metric: one.value for one in IMPLEMENTATIONS[name]().evaluate(*sides, metrics, 0)}
        for name in ("ours", "torch-fidelity")
    )
    assert set(ours) == set(metrics)
    assert theirs == pytest.approx(ours, rel=1e-4)


def test_clean_fid_reads_a_user_s_file(inception: Extractor, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    save_program(path, nn.AdaptiveAvgPool2d(1), nn.Linear(3, 5))
    mine = load_extractor(path)
    assert mine.name.startswith("mine-")
    images = np.random.default_rng(0).integers(0, 256, (2, N, 3, 8, 8), dtype=np.uint8)
    one, other = (
        ImageFeatures(ImageSet(f"{i}", side, None, f"{i}"), mine, tmp_path / f"{i}")
        for i, side in enumerate(images)
    )
    with pytest.raises(UserError, match=r"2048 features, and mine-.* has 3"):
        value("clean-fid-clean", (one, other), "kernel_distance")
    # Three features are not the 2048 that clean-fid takes: so it is its own class that runs.
    with pytest.raises(RuntimeError, match="2048"):
        torchscript(mine, inside=True)(torch.zeros(1, 3, 299, 299))
    # Whoever wants torch-fidelity's own network must have fetched it; of other names it is ours.
    assert value("torch-fidelity", (one, other), "kernel_distance") == pytest.approx(
        value("ours", (one, other), "kernel_distance"), rel=1e-3
    )


@pytest.mark.parametrize("name", ["torch-fidelity", "clean-fid-legacy_pytorch"])
def test_missing_weights_are_not_downloaded(
    name: str, sides: Sides, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it reaches for the net")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    state = cache / STATE
    state.rename(state.with_suffix(".away"))
    try:
        with pytest.raises(UserError, match=f"sid fetch {STATE}"):
            value(name, sides, "kernel_distance")
    finally:
        state.with_suffix(".away").rename(state)


class Trap:
    """What a pickle may do to whoever reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("trapped"),)


@pytest.mark.parametrize("name", ["torch-fidelity", "clean-fid-legacy_pytorch"])
def test_no_pickle_runs(
    name: str, sides: Sides, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / STATE
    path.write_bytes(pickle.dumps(Trap()))
    for module in ("fidelity", "clean"):
        monkeypatch.setattr(f"sid.evaluate.implementations.{module}.locate", lambda _: path)
    with pytest.raises(UserError, match="no state dict"):
        value(name, sides, "kernel_distance")
    assert not Path("trapped").exists()
