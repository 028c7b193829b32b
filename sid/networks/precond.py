"""EDM preconditioning: a raw network becomes a denoiser D(x; sigma)."""

from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from sid.networks.song_unet import SongUNet


class Architecture(BaseModel):
    """What builds a network: the constructor arguments of `SongUNet` and sigma_data.

    Kept in each weights file, so that a file alone is enough to build its network.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    img_resolution: int
    img_channels: int
    label_dim: int = 0
    augment_dim: int = 0
    model_channels: int = 128
    channel_mult: tuple[int, ...] = (2, 2, 2)
    num_blocks: int = 4
    attn_resolutions: tuple[int, ...] = (16,)
    dropout: float = 0.1
    sigma_data: float = 0.5

    def build(self) -> "EDMPrecond":
        """A network with fresh weights."""
        return EDMPrecond(self)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return self.img_channels, self.img_resolution, self.img_resolution


class Both(NamedTuple):
    """A denoised image [B, C, H, W] and the encoder's bottleneck [B, C', H', W'] of one forward."""

    denoised: Tensor
    bottleneck: Tensor


class EDMPrecond(nn.Module):
    """D(x; sigma) = c_skip x + c_out F(c_in x; c_noise) (Karras et al. 2022, eq. 7 and table 1).

    Args:
        architecture: what to build.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.model = SongUNet(**architecture.model_dump(exclude={"sigma_data"}))

    def _encode(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None, augment: Tensor | None
    ) -> tuple[list[Tensor], Tensor]:
        c_in = (sigma**2 + self.architecture.sigma_data**2).rsqrt()
        embedding = self.model.embed(sigma.log() / 4, labels, augment)
        return self.model.encode(c_in[:, None, None, None] * x, embedding), embedding

    def both(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None = None, augment: Tensor | None = None
    ) -> Both:
        """The denoised image and the bottleneck, from one pass through the encoder.

        Args:
            x: noisy images, [B, C, H, W].
            sigma: noise levels, [B].
            labels: one-hot classes, [B, label_dim], or None.
            augment: augmentation labels, [B, augment_dim], or None.
        """
        outputs, embedding = self._encode(x, sigma, labels, augment)
        variance = self.architecture.sigma_data**2
        c_skip = variance / (sigma**2 + variance)
        c_out = sigma * self.architecture.sigma_data * (sigma**2 + variance).rsqrt()
        raw = self.model.decode(outputs, embedding)
        denoised = c_skip[:, None, None, None] * x + c_out[:, None, None, None] * raw
        return Both(denoised, outputs[-1])

    def bottleneck(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None = None, augment: Tensor | None = None
    ) -> Tensor:
        """The bottleneck [B, C', H', W'] alone; the decoder is not run."""
        return self._encode(x, sigma, labels, augment)[0][-1]

    def forward(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None = None, augment: Tensor | None = None
    ) -> Tensor:
        """The denoised image alone (arguments as for `both`)."""
        return self.both(x, sigma, labels, augment).denoised


def one_step(generator: EDMPrecond, z: Tensor, sigma_init: float, labels: Tensor | None) -> Tensor:
    """G(z) = D(sigma_init z; sigma_init) (SiD, section 5), z ~ N(0, I) of [B, C, H, W]."""
    sigma = torch.full((len(z),), sigma_init, device=z.device)
    image: Tensor = generator(sigma_init * z, sigma, labels)
    return image
