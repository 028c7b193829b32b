"""The network: shapes, names, preconditioning and files."""

from pathlib import Path

import pytest
import torch

from sid.errors import UserError
from sid.networks import Architecture, load_network, read_metadata, save_network
from sid.networks.precond import one_step

SMALL = Architecture(
    img_resolution=8,
    img_channels=1,
    model_channels=8,
    channel_mult=(1, 2),
    num_blocks=1,
    attn_resolutions=(4,),
    label_dim=3,
    augment_dim=9,
)


def test_names_are_those_of_the_official_state_dicts() -> None:
    names = set(SMALL.build().state_dict())
    assert {
        "model.map_layer0.weight",
        "model.map_label.bias",
        "model.map_augment.weight",
        "model.enc.8x8_conv.weight",
        "model.enc.8x8_block0.norm0.weight",
        "model.enc.4x4_down.conv0.resample_filter",
        "model.enc.4x4_down.skip.resample_filter",
        "model.enc.4x4_block0.qkv.weight",
        "model.dec.4x4_in0.proj.bias",
        "model.dec.8x8_up.skip.weight",
        "model.dec.8x8_block1.affine.weight",
        "model.dec.8x8_aux_norm.weight",
        "model.dec.8x8_aux_conv.bias",
    } <= names
    assert "model.map_augment.bias" not in names


def test_one_forward_gives_both_outputs() -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    x, sigma = torch.randn(2, 1, 8, 8), torch.tensor([0.1, 3.0])
    labels = torch.eye(3)[:2]
    both = network.both(x, sigma, labels)
    assert both.denoised.shape == (2, 1, 8, 8)
    assert both.bottleneck.shape == (2, 16, 4, 4)
    assert torch.equal(both.denoised, network(x, sigma, labels))
    assert torch.equal(both.bottleneck, network.bottleneck(x, sigma, labels))


def test_labels_and_augmentation_change_the_output() -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    x, sigma = torch.randn(1, 1, 8, 8), torch.tensor([1.0])
    plain = network.bottleneck(x, sigma)
    assert not torch.equal(plain, network.bottleneck(x, sigma, torch.eye(3)[:1]))
    assert not torch.equal(plain, network.bottleneck(x, sigma, None, torch.ones(1, 9)))


def test_preconditioning_at_its_ends() -> None:
    """c_skip tends to 1 without noise and to 0 under much; a fresh network adds about nothing."""
    torch.manual_seed(0)
    network = SMALL.build().eval()
    x = torch.randn(1, 1, 8, 8)
    little, much = torch.tensor([1e-4]), torch.tensor([80.0])
    torch.testing.assert_close(network(x, little), x, rtol=1e-3, atol=1e-3)
    assert network(80 * x, much).abs().max() < 0.05


def test_one_step_is_the_denoiser_at_sigma_init() -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    z = torch.randn(2, 1, 8, 8)
    expected = network(2.5 * z, torch.tensor([2.5, 2.5]))
    assert torch.equal(one_step(network, z, 2.5, None), expected)


def test_file_holds_everything(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = SMALL.build().eval()
    path = tmp_path / "a b" / "n.safetensors"
    save_network(path, network, {"images": 5})
    again, metadata = load_network(path, torch.device("cpu"))
    assert metadata["images"] == read_metadata(path)["images"] == 5
    assert again.architecture == SMALL
    assert not any(p.requires_grad for p in again.parameters())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


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
