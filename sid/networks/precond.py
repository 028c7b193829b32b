"""EDM preconditioning: a raw network becomes a denoiser D(x; sigma)."""

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from sid.networks.architecture import Architecture


class Both(NamedTuple):
    """A denoised image [B, C, H, W] and the encoder's bottleneck [B, C', H', W'] of one forward."""

    denoised: Tensor
    bottleneck: Tensor


class EDMPrecond(nn.Module):
    """D(x; sigma) = c_skip x + c_out F(c_in x; c_noise) (Karras et al. 2022, eq. 7 and table 1).

    All but F is float32, and so are inputs, outputs and parameters; F runs in half precision where
    `use_fp16` asks for it and the images are on a GPU. The channel mean of the bottleneck is SiDA's
    discriminator, `return_flag='encoder'` in the authors' code.
    """

    def __init__(self, architecture: "Architecture") -> None:
        super().__init__()
        self.architecture = architecture
        self.model = architecture.network()

    def _encode(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None, augment: Tensor | None
    ) -> tuple[list[Tensor], Tensor]:
        half = self.architecture.use_fp16 and x.is_cuda
        c_in = (sigma**2 + self.architecture.sigma_data**2).rsqrt()
        embedding = self.model.embed(sigma.log() / 4, labels, augment)
        scaled = c_in[:, None, None, None] * x
        return self.model.encode(scaled.half() if half else scaled, embedding), embedding

    def both(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None = None, augment: Tensor | None = None
    ) -> Both:
        """The denoised image and the bottleneck, from one pass through the encoder.

        Args:
            x: noisy images, [B, C, H, W].
            sigma: noise levels, [B].
            labels: one-hot classes, [B, label_dim], or None for zeros.
            augment: augmentation labels, [B, augment_dim], or None for zeros.
        """
        x, sigma = x.float(), sigma.float()
        outputs, embedding = self._encode(x, sigma, labels, augment)
        variance = self.architecture.sigma_data**2
        c_skip = variance / (sigma**2 + variance)
        c_out = sigma * self.architecture.sigma_data * (sigma**2 + variance).rsqrt()
        raw = self.model.decode(outputs, embedding).float()
        denoised = c_skip[:, None, None, None] * x + c_out[:, None, None, None] * raw
        return Both(denoised, outputs[-1].float())

    def bottleneck(
        self, x: Tensor, sigma: Tensor, labels: Tensor | None = None, augment: Tensor | None = None
    ) -> Tensor:
        """The bottleneck [B, C', H', W'] alone; the decoder is not run."""
        return self._encode(x.float(), sigma.float(), labels, augment)[0][-1].float()

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
