"""SongUNet: the official names, and the weights that a seed has always given."""

import torch

from sid.networks import Architecture
from sid.streams import Stream
from tests.networks.cases import CASES, SMALL


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


def test_names_of_the_side_paths() -> None:
    names = set(Architecture.model_validate(CASES["ncsnpp"]).build().state_dict())
    assert {
        "model.map_noise.freqs",
        "model.enc.8x8_aux_residual.weight",
        "model.enc.8x8_aux_residual.resample_filter",
    } <= names
    names = set(Architecture.model_validate(CASES["skip"]).build().state_dict())
    assert {
        "model.enc.8x8_aux_down.resample_filter",
        "model.enc.8x8_aux_skip.bias",
        "model.dec.8x8_aux_up.resample_filter",
        "model.dec.4x4_aux_norm.bias",
    } <= names
    assert "model.enc.8x8_aux_down.weight" not in names


def test_a_seed_gives_the_same_weights_and_outputs_for_good() -> None:
    """Of the first layer drawn and the last, from the code before there were other U-Nets."""
    torch.manual_seed(0)
    network = SMALL.build().eval()
    state = network.state_dict()
    known = {
        "model.map_label.weight": [-0.478712380, -0.339978337, -0.515980184],
        "model.dec.8x8_aux_conv.weight": [-0.222303852e-5, 0.134751260e-5, 0.107366897e-5],
    }
    for name, expected in known.items():
        torch.testing.assert_close(
            state[name].flatten()[:3], torch.tensor(expected), rtol=1e-6, atol=0
        )
    x = Stream(0, "x").normal(0, 1, (1, 8, 8))
    both = network.both(x, torch.tensor([2.0]), torch.eye(3)[:1])
    denoised = torch.tensor([-0.085243709, -0.086737923, -0.007180049])
    torch.testing.assert_close(both.denoised[0, 0, 0, :3], denoised, rtol=1e-5, atol=1e-7)
    bottleneck = torch.tensor([0.002678223, -0.039655272, 0.005500951])
    torch.testing.assert_close(both.bottleneck[0, :3, 1, 1], bottleneck, rtol=1e-4, atol=1e-7)
