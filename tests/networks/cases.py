"""Networks whose weights and inputs follow from their names, so that only answers are stored."""

import math
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from sid.networks import Architecture
from sid.streams import Stream

Network = TypeVar("Network", bound=nn.Module)

NCSNPP = {
    "embedding_type": "fourier",
    "channel_mult_noise": 2,
    "encoder_type": "residual",
    "resample_filter": [1, 3, 3, 1],
}
SONG: dict[str, Any] = {
    "model_type": "SongUNet",
    "img_resolution": 16,
    "img_channels": 3,
    "model_channels": 8,
    "channel_mult": [1, 2, 2],
    "num_blocks": 1,
    "attn_resolutions": [8],
    "dropout": 0.0,
}
ADM: dict[str, Any] = {
    "model_type": "DhariwalUNet",
    "img_resolution": 8,
    "img_channels": 3,
    "model_channels": 32,
    "channel_mult": [1, 2],
    "num_blocks": 1,
    "attn_resolutions": [4],
    "dropout": 0.0,
}
CASES: dict[str, dict[str, Any]] = {
    "ddpmpp": {**SONG, "augment_dim": 9},
    "ddpmpp-classes": {
        **SONG,
        "label_dim": 10,
        "channel_mult": [2, 2, 2],
        "attn_resolutions": [16, 4],
        "num_blocks": 2,
    },
    "ncsnpp": {**SONG, **NCSNPP, "augment_dim": 9},
    "ncsnpp-classes": {**SONG, **NCSNPP, "label_dim": 10, "num_blocks": 2, "label_dropout": 0.5},
    "skip": {**SONG, "encoder_type": "skip", "decoder_type": "skip", "channel_mult_emb": 2},
    "skip-filter": {
        **SONG,
        "img_resolution": 12,
        "img_channels": 1,
        "encoder_type": "residual",
        "decoder_type": "skip",
        "resample_filter": [1, 5, 10, 10, 5, 1],
        "channel_mult_noise": 2,
        "sigma_data": 0.3,
    },
    "one-level": {
        **SONG,
        "img_resolution": 9,
        "channel_mult": [3],
        "attn_resolutions": [],
        "channel_mult_emb": 3,
        "embedding_type": "fourier",
    },
    "adm-classes": {**ADM, "label_dim": 12, "augment_dim": 9},
    "adm-heads": {
        **ADM,
        "img_resolution": 12,
        "model_channels": 64,
        "channel_mult": [1, 2, 1],
        "attn_resolutions": [6, 3],
        "channel_mult_emb": 1,
        "num_blocks": 1,
    },
}


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


def values(name: str, shape: torch.Size) -> Tensor:
    """Standard normal numbers for a name, float32."""
    return Stream(0, name).normal(0, shape.numel()).reshape(shape)


def fill(network: Network) -> Network:
    """Give every parameter, and the frequencies, values that follow from its name.

    Matrices have the scale of their inputs, so that every layer matters and nothing overflows;
    fresh networks would multiply most branches by about 0.
    """
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            normal = values(name, tensor.shape)
            if name.endswith("freqs"):
                tensor.copy_(normal)
            elif tensor.dim() > 1 and not name.endswith("resample_filter"):
                tensor.copy_(normal / math.sqrt(tensor[0].numel()))
            elif "norm" in name and name.endswith("weight"):
                tensor.copy_(1 + 0.1 * normal)
            elif not name.endswith("resample_filter"):
                tensor.copy_(0.1 * normal)
    return network


def inputs(case: dict[str, Any], batch: int = 3) -> dict[str, Tensor | None]:
    """Images, noise levels from 0.05 to 20 and, where the network takes them, labels."""
    sides = [case["img_resolution"]] * 2
    sigma = torch.logspace(math.log10(0.05), math.log10(20), batch)
    noise = values("images", torch.Size([batch, case["img_channels"], *sides]))
    classes, augment = case.get("label_dim", 0), case.get("augment_dim", 0)
    return {
        "x": noise * (0.25 + sigma**2).sqrt()[:, None, None, None],
        "sigma": sigma,
        "labels": torch.eye(classes)[torch.arange(batch) % classes] if classes else None,
        "augment": values("augment", torch.Size([batch, augment])) if augment else None,
    }


def answers(
    network: nn.Module, case: dict[str, Any], denoised: Tensor, bottleneck: Tensor
) -> dict[str, Tensor]:
    """What a fixture holds: both outputs, and gradients of a fixed linear function of them.

    Each parameter's gradient is told by its norm and its product with fixed noise, in the order of
    the names; two are kept whole.
    """
    probe = (denoised * values("image probe", denoised.shape)).sum()
    probe = probe + (bottleneck * values("bottleneck probe", bottleneck.shape)).sum()
    names, parameters = zip(*sorted(network.named_parameters()), strict=True)
    gradients = dict(zip(names, torch.autograd.grad(probe, parameters), strict=True))
    size = case["img_resolution"]
    whole = ("model.map_layer0.weight", f"model.enc.{size}x{size}_conv.weight")
    along = [(g * values(f"along {name}", g.shape)).sum() for name, g in gradients.items()]
    return {
        "denoised": denoised.detach(),
        "bottleneck": bottleneck.detach(),
        "norms": torch.stack([g.norm() for g in gradients.values()]),
        "along": torch.stack(along),
        **{name: gradients[name].contiguous() for name in whole},
    }
