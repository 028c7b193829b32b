"""Extractors by name and file: EfficientNet-Lite0, programs like the 2015 Inception, DINOv2."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sid.errors import UserError
from sid.evaluate.extractors import Extractor, dinov2, efficientnet, load_extractor
from sid.evaluate.extractors.classifier import DataExtractor
from sid.files import sha256
from workflow.rehearsal.inception import save_program, small_layers

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 20, 48), (1, 40, 33)]


def random_images(shape: tuple[int, ...], n: int = 5) -> Tensor:
    return torch.randint(0, 256, (n, *shape), generator=torch.Generator().manual_seed(0)).byte()


@pytest.fixture(scope="module")
def lite() -> Extractor:
    return load_extractor("efficientnet-lite0")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    # The name that would fool most: the extractor's own.
    path = tmp_path_factory.mktemp("a program") / "inception-2015.pt"
    save_program(path, small_layers(), nn.Linear(2048, 1008))
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_efficientnet_takes_any_size(lite: Extractor, shape: tuple[int, ...]) -> None:
    images = random_images(shape)
    features, logits = lite.features_and_logits(images)
    assert (features.shape, logits.shape) == ((5, lite.width), (5, lite.classes))
    assert (features.dtype, logits.dtype) == (torch.float32, torch.float32)
    assert float(features.std(dim=0).min()) >= 0 < float(features.std(dim=0).max())
    repeated = images.repeat(1, 3 // shape[0], 1, 1)
    assert torch.equal(lite.features_and_logits(repeated)[0], features)


def test_efficientnet_is_the_package_s_network(lite: Extractor) -> None:
    images = random_images((3, 64, 64))
    network = lite.network.network
    assert isinstance(network, nn.Module)
    with torch.inference_mode():
        expected = network((images.float() - 127) / 128)
    torch.testing.assert_close(lite.features_and_logits(images)[1], expected)
    assert lite.sha256.startswith("579344248a93e230")


def test_small_images_are_enlarged_bilinearly(lite: Extractor) -> None:
    levels = torch.arange(0, 256, 36).byte()  # Eight columns of one level each.
    image = levels.expand(1, 1, 8, 8)
    # At a factor of four a pixel's neighbours are mixed at odd eighths; the ends are repeated.
    at = ((torch.arange(32) + 0.5) / 4 - 0.5).clamp(0, 7)
    low = at.long().clamp(max=6)
    row = levels.float()[low] + (at - low) * 36
    large = row.expand(1, 1, 32, 32)
    found, expected = (lite.features_and_logits(x)[0] for x in (image, large))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "SHA256", "0" * 64)
    with pytest.raises(UserError, match="not the published weights; reinstall"):
        load_extractor("efficientnet-lite0")


@pytest.mark.parametrize("shape", SHAPES)
def test_program(program: Path, shape: tuple[int, ...]) -> None:
    extractor = load_extractor(program)
    assert (extractor.width, extractor.classes) == (2048, 1008)
    images = random_images(shape)
    features, logits = extractor.features_and_logits(images)
    module = torch.jit.load(program)  # type: ignore[no-untyped-call]
    images = images.repeat(1, 3 // shape[0], 1, 1)
    with torch.inference_mode():
        torch.testing.assert_close(features, module(images, return_features=True))
        torch.testing.assert_close(logits.softmax(dim=1), module(images, no_output_bias=True))


def test_every_run_of_a_program_gives_the_same_bits(program: Path) -> None:
    extractor = load_extractor(program)
    images = random_images((3, 32, 32))
    first, *others = (extractor.features_and_logits(images)[0] for _ in range(4))
    assert all(torch.equal(first, other) for other in others)


def test_no_random_weights_are_called_by_the_published_name(program: Path) -> None:
    extractor = load_extractor(program)
    assert extractor.name == f"inception-2015-{sha256(program)[:8]}" != "inception-2015"


def test_published_weights_by_their_checksum(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = sha256(program)
    monkeypatch.setattr("sid.evaluate.extractors.inception.is_program", known.__eq__)
    assert load_extractor(program).name == "inception-2015"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no TorchScript program"),
        (b"PK\x03\x04 nothing", "no TorchScript program"),
        (None, "no such file"),
        ("plain", "no TorchScript program with the interface"),
    ],
)
def test_files_that_are_no_program(content: bytes | str | None, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a\tb.pt"
    if content == "plain":
        torch.jit.script(nn.Sequential(nn.Linear(2, 2))).save(str(path))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(UserError, match=what) as caught:
        load_extractor(path)
    assert "\n" not in str(caught.value)


def test_nothing_is_fetched_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SID_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="run `sid fetch inception-2015-12-05"):
        load_extractor("inception-2015")


def test_unknown_names() -> None:
    with pytest.raises(UserError, match="no such extractor; known are efficientnet-lite0"):
        load_extractor("inception-2016")


def test_no_classifier_takes_a_published_name(extractor: DataExtractor, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    renamed = {**vars(extractor), "name": "inception-2015"}
    DataExtractor(**renamed).save(path)
    with pytest.raises(UserError, match="name ends in -cnn, not inception-2015"):
        load_extractor(path)


def test_dinov2_is_looked_for_and_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("transformers", "timm"):
        monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(UserError, match="dinov2-vits14: needs `transformers` or `timm`"):
        load_extractor("dinov2-vits14")


def test_dinov2_preprocessing() -> None:
    class Look(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            assert images.shape[1:] == (3, 224, 224)
            return images.mean(dim=(2, 3))

    extractor = dinov2.dinov2_of(Look(), "dinov2-vits14")
    assert (extractor.width, extractor.classes) == (3, 0)
    images = torch.full((2, 1, 9, 9), 255).byte()
    features, logits = extractor.features_and_logits(images)
    # (1 - mean) / deviation of ImageNet.
    torch.testing.assert_close(features[0], torch.tensor([2.2489, 2.4286, 2.64]), atol=1e-3, rtol=0)
    assert logits.shape == (2, 0)


def test_full_precision_whatever_the_caller_has_set() -> None:
    matmul, seen = torch.backends.cuda.matmul, []

    class Look(nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            seen.append((matmul.fp32_precision, torch.is_autocast_enabled("cpu")))
            return images.flatten(1).float(), torch.zeros(len(images), 0)

    extractor = Extractor("look", "0", Look(), 9, 0, 10, "none")
    before = matmul.fp32_precision
    matmul.fp32_precision = "tf32"
    try:
        with torch.autocast("cpu", torch.bfloat16):
            extractor.features_and_logits(random_images((1, 3, 3)))
            assert torch.is_autocast_enabled("cpu")
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before
    assert seen == [("ieee", False)]


@pytest.mark.parametrize("shape", [(2, 8, 8), (4, 8, 8), (3, 8)])
def test_refuses_what_is_neither_grey_nor_rgb(lite: Extractor, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="takes grey or RGB"):
        lite.check(shape)
