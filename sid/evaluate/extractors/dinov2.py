"""DINOv2 (Oquab et al. 2023), where `transformers` or `timm` and its weights are already here.

Stein et al. (2023) found its distance closer to people's judgement than FID. Neither library is a
dependency, and nothing is downloaded: weights are looked for in the cache that both share.
"""

import os
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sid.errors import UserError
from sid.evaluate.extractors.extractor import Extractor, rgb
from sid.networks.weights import digest

SIZES = {"vits14": "small", "vitb14": "base", "vitl14": "large", "vitg14": "giant"}
NAMES = tuple(f"dinov2-{size}" for size in SIZES)
RESOLUTION = 224
CHUNK = 50
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class DINOv2(nn.Module):
    """The network with its preprocessing; features are the normalised class token.

    Args:
        network: images [B, 3, 224, 224], normalised, to features [B, d].
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.mean: Tensor
        self.register_buffer("mean", 255 * torch.tensor(MEAN).reshape(3, 1, 1))
        self.deviation: Tensor
        self.register_buffer("deviation", 255 * torch.tensor(DEVIATION).reshape(3, 1, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, d] and no logits [B, 0] of images [B, C, H, W] in 0 .. 255."""
        size = (RESOLUTION, RESOLUTION)
        x = F.interpolate(rgb(images).float(), size, mode="bicubic", antialias=True)
        features = self.network((x.clamp(0, 255) - self.mean) / self.deviation)
        return features, features.new_empty(len(features), 0)


class ClassToken(nn.Module):
    """A `transformers` DINOv2 as a function of images alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """The normalised class token [B, d]."""
        token: Tensor = self.model(pixel_values=images).pooler_output
        return token


def _from_transformers(size: str) -> nn.Module | None:
    try:
        from transformers import Dinov2Model  # type: ignore[import-not-found, unused-ignore]

        name = f"facebook/dinov2-{SIZES[size]}"
        return ClassToken(Dinov2Model.from_pretrained(name, local_files_only=True))
    except (ImportError, OSError):
        return None


def _from_timm(size: str) -> nn.Module | None:
    try:
        import timm  # type: ignore[import-not-found, unused-ignore]
        from huggingface_hub import (  # type: ignore[import-not-found, unused-ignore]
            try_to_load_from_cache,
        )
    except ImportError:
        return None
    name = f"vit_{SIZES[size]}_patch14_dinov2.lvd142m"
    path: Any = try_to_load_from_cache(f"timm/{name}", "model.safetensors")
    if not isinstance(path, str | os.PathLike):
        return None
    network: nn.Module = timm.create_model(
        name, checkpoint_path=path, img_size=RESOLUTION, num_classes=0
    )
    return network


def load_dinov2(name: str) -> Extractor:
    """One of `NAMES`.

    Raises:
        UserError: no library, or no weights in its cache.
    """
    size = name.removeprefix("dinov2-")
    network = _from_transformers(size) or _from_timm(size)
    if network is None:
        raise UserError(
            f"{name}: needs `transformers` or `timm`, and its weights in their cache: install one "
            f"and download facebook/dinov2-{SIZES[size]} or "
            f"timm/vit_{SIZES[size]}_patch14_dinov2.lvd142m with it"
        )
    return dinov2_of(network, name)


def dinov2_of(network: nn.Module, name: str) -> Extractor:
    """The extractor that a loaded network makes."""
    module = DINOv2(network).eval().requires_grad_(False)
    with torch.inference_mode():
        width = module(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))[0].shape[1]
    return Extractor(
        name=name,
        sha256=digest(network.state_dict()),
        network=module,
        width=width,
        classes=0,
        chunk=CHUNK,
        preprocessing="grey repeated to RGB; bicubic to 224x224, antialiased; ImageNet's mean",
    )
