"""DhariwalUNet: the official names, and attention only where a whole head fits."""

from sid.networks import Architecture
from tests.networks.cases import ADM, CASES


def test_names_are_those_of_the_official_state_dicts() -> None:
    names = set(Architecture.model_validate(CASES["adm-classes"]).build().state_dict())
    assert {
        "model.map_layer0.bias",
        "model.map_label.weight",
        "model.map_augment.weight",
        "model.enc.8x8_conv.weight",
        "model.enc.4x4_down.conv0.resample_filter",
        "model.enc.4x4_down.skip.resample_filter",
        "model.enc.4x4_block0.skip.weight",
        "model.dec.4x4_in0.qkv.weight",
        "model.dec.4x4_block1.proj.weight",
        "model.out_norm.weight",
        "model.out_conv.bias",
    } <= names
    # Resampling at equal widths is without weights; labels are without bias.
    assert not names & {"model.enc.4x4_down.skip.weight", "model.map_label.bias"}


def test_no_attention_below_the_width_of_a_head() -> None:
    narrow = {**ADM, "channel_mult": [1, 1], "attn_resolutions": [8, 4]}
    names = Architecture.model_validate(narrow).build().state_dict()
    assert not [name for name in names if "qkv" in name]
