"""Networks on disk: whole, damaged, and of a shape that cannot be."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sid.errors import UserError
from sid.networks import Architecture, load_network, network_of, read_metadata, save_network
from sid.networks.weights import save_tensors
from tests.networks.cases import ADM, CASES, SMALL

CPU = torch.device("cpu")


def test_file_holds_everything(tmp_path: Path) -> None:
    path = tmp_path / "a b" / "n.safetensors"
    save_network(path, SMALL.build(), {"images": 5})
    again, metadata = load_network(path, torch.device("cpu"))
    assert metadata["images"] == read_metadata(path)["images"] == 5
    assert not any(p.requires_grad for p in again.parameters())


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "missing"])
def test_damaged_files_are_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "n.safetensors"
    save_network(path, SMALL.build(), {})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[-10] ^= 1
        path.write_bytes(content)
    elif damage == "text":
        path.write_text("not weights")
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"n\.safetensors: (damaged|no such file)"):
        load_network(path, torch.device("cpu"))


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_network_comes_back(tmp_path: Path, name: str) -> None:
    network = Architecture.model_validate(CASES[name]).build()
    save_network(tmp_path / "n.safetensors", network, {})
    before = torch.get_rng_state()
    again, _ = load_network(tmp_path / "n.safetensors", CPU)
    assert torch.equal(torch.get_rng_state(), before)  # Nothing is drawn to be written over.
    assert again.architecture == network.architecture
    assert not again.training
    state = again.state_dict()
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[key])
        assert not state[key].is_meta


def test_files_from_before_the_second_u_net(tmp_path: Path) -> None:
    network = SMALL.build()
    keys = "img_resolution img_channels label_dim augment_dim model_channels channel_mult"
    about = {key: getattr(SMALL, key) for key in keys.split()}
    about |= {"num_blocks": 1, "attn_resolutions": [4], "dropout": 0.1, "sigma_data": 0.5}
    save_tensors(tmp_path / "n.safetensors", network.state_dict(), {"architecture": about})
    assert load_network(tmp_path / "n.safetensors", CPU)[0].architecture == SMALL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_channels": 3}, "a noise embedding of 3 channels"),
        ({"num_blocks": 2}, r"block1.*missing, should be \(8,\)"),
        ({"model_channels": 16384}, r"is \(8, 3\), should be \(16384, 3\)"),
        ({"num_blocks": 10**9}, "num_blocks: input should be less than"),
        ({"label_dim": 0}, r"model.map_label.bias is \(8,\), should be absent"),
    ],
)
def test_unusable_architectures_are_told(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "n.safetensors"
    about = {**SMALL.model_dump(mode="json"), **change}
    save_tensors(path, SMALL.build().state_dict(), {"architecture": about})
    with pytest.raises(UserError, match=rf"^\S+n\.safetensors: .*{message}") as caught:
        load_network(path, CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("about", [None, [], "SongUNet", {}])
def test_architectures_that_are_none(tmp_path: Path, about: Any) -> None:
    path = tmp_path / "n.safetensors"
    save_tensors(path, SMALL.build().state_dict(), {"architecture": about})
    with pytest.raises(UserError, match=r"n\.safetensors: "):
        load_network(path, CPU)


def test_weights_of_another_kind() -> None:
    architecture = Architecture.model_validate(ADM)
    with pytest.raises(UserError, match="weights: does not fit its architecture: "):
        network_of(architecture, SMALL.build().state_dict(), CPU, "weights")


FOREIGN = [None, {"format": "pt"}, *({"about": text} for text in ("null", "[]", "3", '{"a": 1}'))]


@pytest.mark.parametrize("metadata", FOREIGN)
def test_files_of_other_libraries_are_not_called_damaged(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    path = tmp_path / "n.safetensors"
    save_file({"x": torch.zeros(3)}, path, metadata)
    with pytest.raises(UserError, match=r"n\.safetensors: not written by `sid` .*teacher import"):
        load_network(path, CPU)


def test_places_that_the_library_cannot_read(tmp_path: Path) -> None:
    """It takes no path that is not UTF-8, and waits for ever at a pipe."""
    path = tmp_path / os.fsdecode(b"\xff.safetensors")
    with pytest.raises(UserError, match="takes paths in UTF-8 only; rename the file"):
        save_network(path, SMALL.build(), {})
    assert not path.exists()
    path.touch()
    with pytest.raises(UserError, match="takes paths in UTF-8 only; rename the file"):
        load_network(path, CPU)
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UserError, match=f"{place}: is no file"):
            load_network(place, CPU)
