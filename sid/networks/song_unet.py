"""The DDPM++ U-Net: the network of the EDM teachers on CIFAR-10, FFHQ and AFHQ-v2."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from sid.networks.layers import PositionalEmbedding, UNetBlock, conv, group_norm, linear


class SongUNet(nn.Module):
    """DDPM++ (Song et al. 2021, arXiv 2011.13456) as configured by EDM (arXiv 2206.00364, table 7).

    Args:
        img_resolution: height and width of the images.
        img_channels: colour channels in and out.
        label_dim: number of classes, 0 without.
        augment_dim: width of the augmentation label, 0 without.
        model_channels: channels at full resolution for multiplier 1.
        channel_mult: channel multiplier of each resolution, finest first.
        num_blocks: residual blocks per resolution in the encoder (one more in the decoder).
        attn_resolutions: resolutions whose blocks have self-attention.
        dropout: probability inside the blocks, in training mode.
    """

    def __init__(
        self,
        *,
        img_resolution: int,
        img_channels: int,
        label_dim: int = 0,
        augment_dim: int = 0,
        model_channels: int = 128,
        channel_mult: Sequence[int] = (2, 2, 2),
        num_blocks: int = 4,
        attn_resolutions: Sequence[int] = (16,),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        width = model_channels * 4
        self.map_noise = PositionalEmbedding(model_channels)
        self.map_label = linear(label_dim, model_channels) if label_dim else None
        self.map_augment = linear(augment_dim, model_channels, bias=False) if augment_dim else None
        self.map_layer0 = linear(model_channels, width)
        self.map_layer1 = linear(width, width)

        sizes = [img_resolution >> level for level in range(len(channel_mult))]
        channels = [model_channels * mult for mult in channel_mult]

        self.enc = nn.ModuleDict()
        n = model_channels
        self.enc[f"{sizes[0]}x{sizes[0]}_conv"] = conv(img_channels, n, 3)
        skips = [n]
        for level, size in enumerate(sizes):
            if level:
                block = UNetBlock(n, n, width, direction="down", dropout=dropout)
                self.enc[f"{size}x{size}_down"] = block
                skips.append(n)
            for index in range(num_blocks):
                attention = size in attn_resolutions
                block = UNetBlock(n, channels[level], width, attention=attention, dropout=dropout)
                self.enc[f"{size}x{size}_block{index}"] = block
                n = channels[level]
                skips.append(n)

        self.dec = nn.ModuleDict()
        for level, size in reversed(list(enumerate(sizes))):
            name = f"{size}x{size}"
            if level == len(sizes) - 1:
                self.dec[f"{name}_in0"] = UNetBlock(n, n, width, attention=True, dropout=dropout)
                self.dec[f"{name}_in1"] = UNetBlock(n, n, width, dropout=dropout)
            else:
                self.dec[f"{name}_up"] = UNetBlock(n, n, width, direction="up", dropout=dropout)
            for index in range(num_blocks + 1):
                attention = index == num_blocks and size in attn_resolutions
                n_in, n = n + skips.pop(), channels[level]
                block = UNetBlock(n_in, n, width, attention=attention, dropout=dropout)
                self.dec[f"{name}_block{index}"] = block
        self.dec[f"{name}_aux_norm"] = group_norm(n)
        self.dec[f"{name}_aux_conv"] = conv(n, img_channels, 3, gain=1e-5)

    def embed(self, noise: Tensor, labels: Tensor | None, augment: Tensor | None) -> Tensor:
        """Noise label [B], classes [B, label_dim], augmentation [B, augment_dim] -> [B, 4 C]."""
        x = self.map_noise(noise)
        if self.map_label is not None:
            if labels is None:
                labels = x.new_zeros(len(x), self.map_label.in_features)
            x = x + self.map_label(labels * self.map_label.in_features**0.5)
        if self.map_augment is not None and augment is not None:
            x = x + self.map_augment(augment)
        return silu(self.map_layer1(silu(self.map_layer0(x))))

    def encode(self, x: Tensor, embedding: Tensor) -> list[Tensor]:
        """The output of every encoder block, finest first; the last is the bottleneck."""
        outputs: list[Tensor] = []
        for block in self.enc.values():
            x = block(x, embedding) if isinstance(block, UNetBlock) else block(x)
            outputs.append(x)
        return outputs

    def decode(self, outputs: list[Tensor], embedding: Tensor) -> Tensor:
        """Encoder outputs -> [B, C, H, W]."""
        x, skips = outputs[-1], list(outputs)
        for block in self.dec.values():
            if isinstance(block, UNetBlock):
                if x.shape[1] != block.n_in:
                    x = torch.cat([x, skips.pop()], dim=1)
                x = block(x, embedding)
            else:  # The norm, then, after its SiLU, the last convolution.
                x = block(x if isinstance(block, nn.GroupNorm) else silu(x))
        return x
