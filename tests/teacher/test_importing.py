"""Official pickles become weights files with the same weights, which every stage takes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sid.data.zips import read_zip, write_zip
from sid.evaluate.evaluate import evaluate_teacher
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.extractors import load_extractor, train_extractor
from sid.evaluate.implementations import IMPLEMENTATIONS
from sid.evaluate.workspace import Workspace
from sid.networks import Architecture, EDMPrecond, load_network
from sid.progress import Progress
from tests.commands import refused, sid
from tests.conftest import distilled, tiny_recipe
from tests.test_failures import SID, plain
from workflow.rehearsal.official_pickle import CANARY, dumps, edm_extras, snapshot

CPU = torch.device("cpu")
GIVEN: dict[str, Any] = {
    "img_resolution": 8,
    "img_channels": 1,
    "label_dim": 10,
    "model_type": "SongUNet",
    "use_fp16": False,
    "augment_dim": 9,
    "model_channels": 8,
    "channel_mult": [1, 2],
    "num_blocks": 1,
    "attn_resolutions": [4],
    "dropout": np.float64(0.13),  # NumPy scalars occur in the official files.
    "embedding_type": "positional",
    "resample_filter": [1, 1],
}


def network(seed: int = 0, **changes: Any) -> EDMPrecond:
    values = {**GIVEN, **changes}
    del values["model_type"], values["embedding_type"], values["resample_filter"]  # As built here.
    del values["use_fp16"]
    built = Architecture(**values).build().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for tensor in built.parameters():
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.1)
    return built


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def imported() -> Any:
    """Import a pickled object through the command line; its weights file and its description."""

    def run(value: Any, name: str, *options: object, protocol: int = 4) -> tuple[Path, Any]:
        Path(name).write_bytes(dumps(value, protocol))
        done = sid("teacher", "import", name, "--out", "out", *options)
        assert done.returncode == 0, done.stderr
        assert not Path(CANARY).exists()
        path = Path("out", Path(name).with_suffix(".safetensors"))
        return path, json.loads(path.with_suffix(".json").read_text())

    return run


@pytest.mark.parametrize("protocol", [4, 5])
def test_weights_and_images_are_the_same(imported: Any, protocol: int) -> None:
    original = network()
    path, about = imported(snapshot(original, GIVEN, **edm_extras()), "t.pkl", protocol=protocol)
    again, metadata = load_network(path, CPU)
    assert weights(again).keys() == weights(original).keys()
    for name, tensor in original.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    x, sigma = torch.randn(3, 1, 8, 8), torch.tensor([0.1, 2.5, 40.0])
    assert torch.equal(again(x, sigma, torch.eye(10)[:3]), original(x, sigma, torch.eye(10)[:3]))
    assert about["arguments"] == GIVEN
    assert about["class_name"] == "EDMPrecond"
    assert about["source"] == "t.pkl"
    assert (about["kind"], metadata["kind"]) == ("denoiser", "denoiser")
    assert again.architecture.dropout == 0.13
    assert again.architecture.attn_resolutions == (4,)


def test_half_strided_and_shared_tensors(imported: Any) -> None:
    original = network()
    layer = original.model.map_layer0
    square = original.model.map_layer1.weight
    square.data = square.data.half().t()  # Not contiguous.
    memory = torch.randn(layer.weight.numel() + layer.bias.numel() + 5)
    layer.weight.data = memory[5 : 5 + layer.weight.numel()].view_as(layer.weight)
    layer.bias.data = memory[5 + layer.weight.numel() :]
    before = weights(original)
    path, _ = imported(snapshot(original, GIVEN), "edm-x.pkl")
    after = load_network(path, CPU)[0].state_dict()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor.to(after[name].dtype))


def test_arguments_by_position(imported: Any) -> None:
    value = snapshot(network(), {k: v for k, v in GIVEN.items() if not k.startswith("img_")})
    vars(value["ema"])["_init_args"] = (8, 1)
    path, about = imported(value, "edm-x.pkl")
    assert about["arguments"]["img_channels"] == 1
    assert load_network(path, CPU)[0].architecture.image_shape == (1, 8, 8)


def test_what_is_not_given_is_the_official_default(imported: Any) -> None:
    """channel_mult is [1, 2, 2, 2] there, and not what this repository takes."""
    given = {key: value for key, value in GIVEN.items() if key != "channel_mult"}
    built = network(channel_mult=(1, 2, 2, 2))
    path, _ = imported(snapshot(built, given), "edm-x.pkl")
    assert load_network(path, CPU)[0].architecture.channel_mult == (1, 2, 2, 2)


@pytest.mark.parametrize(
    ("name", "class_name", "kind"),
    [
        ("edm-cifar10-32x32-uncond-vp.pkl", "EDMPrecond", "denoiser"),
        ("network-snapshot-200000.pkl", "EDMPrecond", "denoiser"),
        ("network-snapshot-1.200000-403968.pkl", "EDMPrecond", "generator"),
        ("network-snapshot--0.250000-000102.pkl", "EDMPrecond", "generator"),
        ("afhq64-v2_sid2a_alpha1.2-175104.pkl", "EDMPrecond", "generator"),
        ("anything.pkl", "EDMPrecond_EncoderDecoder", "generator"),
    ],
)
def test_kind_is_found_out(imported: Any, name: str, class_name: str, kind: str) -> None:
    value = snapshot(network(), GIVEN)
    if class_name != "EDMPrecond":
        vars(value["ema"])["_init_kwargs"]["model_type"] = "SongUNet_EncoderDecoder"
        value["ema"].__class__ = type(class_name, (EDMPrecond,), {})
    path, about = imported(value, name)
    assert about["kind"] == kind
    metadata = load_network(path, CPU)[1]
    assert metadata.get("sigma_init") == (2.5 if kind == "generator" else None)


def test_kind_that_cannot_be_found_out(imported: Any) -> None:
    Path("n.pkl").write_bytes(dumps(snapshot(network(), GIVEN)))
    done = sid("teacher", "import", "n.pkl", "--out", "out")
    refused(done, "say --kind denoiser or --kind generator")
    assert not Path("out").exists()
    assert imported(snapshot(network(), GIVEN), "n.pkl", "--kind", "generator")[1]["kind"]


def test_another_file_of_the_same_name_is_not_overwritten(imported: Any) -> None:
    path, _ = imported(snapshot(network(), GIVEN), "edm-x.pkl")
    first = path.read_bytes()
    again = ("teacher", "import", "edm-x.pkl", "--out", "out")
    assert sid(*again).returncode == 0  # The same file is welcome.
    assert path.read_bytes() == first
    Path("edm-x.pkl").write_bytes(dumps(snapshot(network(1), GIVEN)))
    refused(sid(*again), "is there already, of another file")
    assert path.read_bytes() == first


def test_teacher_and_start_work_downstream(imported: Any, digits_zip: Path) -> None:
    teacher, _ = imported(snapshot(network(), GIVEN, **edm_extras()), "edm-digits.pkl")
    start, _ = imported(snapshot(network(1), GIVEN), "digits_sid_alpha1-1.pkl")
    recipe = tiny_recipe(kimg=0.1, start="sid")
    assert (distilled(recipe, digits_zip, teacher, Path("run"), start=start) / "done.json").exists()

    images = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
    write_zip(Path("small.zip"), images, np.arange(60) % 10)
    data = read_zip(Path("small.zip"))
    train_extractor(data, 0).save(Path("e.safetensors"))
    extractor = load_extractor(Path("e.safetensors"))
    counts = {"n_curve": 20, "n_final": 20, "draws": 2}
    with Progress("", 1, quiet=True) as progress, Workspace(None) as workspace:
        options = {"workspace": workspace, "device": CPU, "progress": progress}
        evaluator = Evaluator(
            data, extractor, [IMPLEMENTATIONS["ours"]()], ["frechet_distance"], **options
        )
        found = evaluate_teacher(evaluator, teacher, **counts, device=CPU)
    assert {record.recipe for record in found} == {"edm-digits"}


def test_no_permission() -> None:
    Path("n.pkl").write_bytes(b"")
    Path("n.pkl").chmod(0)
    words = [*plain(), SID, "teacher", "import", "n.pkl", "--out", "out"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    refused(done, "n.pkl: no permission to read it")
