"""Architectures as data: one class for each U-Net, and words for what cannot be built."""

import copy
import json
from typing import Any

import pytest
import torch
from pydantic import BaseModel

from sid.errors import UserError
from sid.networks import Architecture, DhariwalArchitecture, SongArchitecture, parse_architecture
from tests.networks import cases

IMAGES = {"img_resolution": 16, "img_channels": 3}
ADM = {**IMAGES, "model_type": "DhariwalUNet"}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (IMAGES, SongArchitecture),
        ({**IMAGES, "model_type": "SongUNet"}, SongArchitecture),
        (ADM, DhariwalArchitecture),
    ],
)
def test_the_model_type_chooses_the_class(values: dict[str, Any], wanted: type) -> None:
    class Holder(BaseModel):
        network: Architecture

    made = Architecture(**values)
    again = [
        Architecture.model_validate(values),
        Architecture.model_validate_json(made.model_dump_json()),
        Architecture.model_validate(json.loads(made.model_dump_json())),
        parse_architecture(values, "here"),
        Holder.model_validate({"network": values}).network,
        copy.deepcopy(made),
    ]
    assert type(made) is wanted
    for other in again:
        assert type(other) is wanted
        assert other == made


def test_defaults_are_the_official_ones() -> None:
    """Of `EDMPrecond`, `SongUNet` and `DhariwalUNet` in EDM's training/networks.py."""
    shared = {
        "label_dim": 0,
        "use_fp16": False,
        "sigma_min": 0,
        "sigma_max": float("inf"),
        "sigma_data": 0.5,
        "augment_dim": 0,
        "channel_mult_emb": 4,
        "dropout": 0.1,
        "label_dropout": 0,
        "img_resolution": 16,
        "img_channels": 3,
    }
    assert Architecture(**IMAGES).model_dump() == {
        **shared,
        "model_type": "SongUNet",
        "model_channels": 128,
        "channel_mult": (1, 2, 2, 2),
        "num_blocks": 4,
        "attn_resolutions": (16,),
        "embedding_type": "positional",
        "channel_mult_noise": 1,
        "encoder_type": "standard",
        "decoder_type": "standard",
        "resample_filter": (1, 1),
    }
    assert Architecture(**ADM).model_dump() == {
        **shared,
        "model_type": "DhariwalUNet",
        "model_channels": 192,
        "channel_mult": (1, 2, 3, 4),
        "num_blocks": 3,
        "attn_resolutions": (32, 16, 8),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_channels": 0}, "model_channels: input should be greater than"),
        ({"model_channels": 1}, "a noise embedding of 1 channels"),
        ({"model_channels": 3}, "a noise embedding of 3 channels"),
        ({"model_channels": 6}, "a layer of 18 channels cannot be normalised"),
        ({"model_channels": 10**12}, "model_channels: input should be less than"),
        ({"channel_mult": []}, "channel_mult: tuple should have at least 1 item"),
        ({"channel_mult": [1] * 6}, "img_resolution 16 is not divisible by 2\\^5"),
        ({"img_resolution": 9, "channel_mult": [1, 2]}, "img_resolution 9 is not divisible"),
        ({"num_blocks": 0}, "num_blocks: input should be greater than"),
        ({"resample_filter": [1, 2, 1]}, "needs an even number of taps"),
        ({"resample_filter": [1, -1]}, "needs an even number of taps and a sum other than 0"),
        ({"encoder_type": "odd"}, "encoder_type: input should be 'standard', 'skip' or 'residual'"),
        ({"sigma_data": float("inf")}, "sigma_data: input should be a finite number"),
        ({"model_chanels": 8}, "model_chanels: unknown key; did you mean model_channels?"),
        ({"model_type": "DiT"}, "model_type: DiT is unknown; known are SongUNet, DhariwalUNet"),
        ({**ADM, "channel_mult_noise": 1}, "channel_mult_noise: is not an argument of Dhariwal"),
        ({**ADM, "model_channels": 56}, "a layer of 168 channels cannot be normalised"),
        ({**ADM, "model_channels": 224}, "attention over 224 channels cannot be split into 3"),
    ],
)
def test_what_cannot_be_built_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^here: .*{message}") as caught:
        parse_architecture({**IMAGES, **change}, "here")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"attn_resolutions": [7, 1000]},
        {"attn_resolutions": []},
        {"img_resolution": 9, "channel_mult": [1]},
        {"model_channels": 4},
        {"img_resolution": 24, "channel_mult": [1, 1, 1, 1]},
    ],
)
def test_unusual_values_that_work(change: dict[str, Any]) -> None:
    network = Architecture(**{**IMAGES, "model_channels": 8, "num_blocks": 1, **change}).build()
    shape = network.architecture.image_shape
    assert network(torch.zeros(1, *shape), torch.ones(1)).shape == (1, *shape)


def test_checking_draws_nothing() -> None:
    before = torch.get_rng_state()
    Architecture(**IMAGES)
    Architecture(**ADM, label_dim=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_attention_below_the_width_of_a_head() -> None:
    narrow = {**cases.ADM, "channel_mult": [1, 1], "attn_resolutions": [8, 4]}
    names = Architecture.model_validate(narrow).build().state_dict()
    assert not [name for name in names if "qkv" in name]


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        ("ddpmpp", {"enc.8x8_down.conv0", "enc.8x8_down.skip", "dec.16x16_up.conv0"}),
        ("ncsnpp", {"enc.8x8_aux_residual"}),
        ("skip", {"enc.8x8_aux_down", "dec.16x16_aux_up"}),
        ("adm-classes", {"enc.4x4_down.conv0", "enc.4x4_down.skip"}),
    ],
)
def test_buffers_have_their_official_names(case: str, wanted: set[str]) -> None:
    """Parameters too, which the parity of networks filled by name shows."""
    buffers = dict(Architecture.model_validate(cases.CASES[case]).build().named_buffers())
    assert {f"model.{name}.resample_filter" for name in wanted} <= buffers.keys()
