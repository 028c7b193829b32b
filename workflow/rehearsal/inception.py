"""Small programs with the interface of NVIDIA's TorchScript file of the 2015 Inception."""

import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZE = 299


class Program(nn.Module):
    """The interface of NVIDIA's TorchScript program around any layers.

    Args:
        layers: normalised images [B, 3, 299, 299] to [B, d, 1, 1].
        output: the last linear layer.
    """

    def __init__(self, layers: nn.Module, output: nn.Linear) -> None:
        super().__init__()
        self.layers, self.output = layers, output

    def forward(
        self,
        img: Tensor,
        return_features: bool = False,
        use_fp16: bool = False,
        no_output_bias: bool = False,
    ) -> Tensor:
        """Features [B, d], or class probabilities, of images uint8 [B, 3, H, W]."""
        # TensorFlow 1 samples at i * (size / 299), without half a pixel's shift.
        x = img.to(torch.float32)
        x = resized(resized(x, 2), 3)
        features: Tensor = self.layers((x - 128) / 128).flatten(1)
        if return_features:
            return features
        logits = F.linear(features, self.output.weight)
        if not no_output_bias:
            logits = logits + self.output.bias
        return logits.softmax(dim=1)


def resized(x: Tensor, dim: int) -> Tensor:
    """Linear interpolation to 299 along one dimension."""
    at = torch.arange(299, device=x.device) * (x.shape[dim] / 299)
    low = at.to(torch.int64)
    high = (low + 1).clamp(max=x.shape[dim] - 1)
    shape = [1, 1, 1, 1]
    shape[dim] = 299
    share = (at - low).to(x.dtype).view(shape)
    return x.index_select(dim, low) * (1 - share) + x.index_select(dim, high) * share


def small_layers(width: int = 2048) -> nn.Sequential:
    """A few layers in place of the Inception's."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 23, stride=23),
        nn.ReLU(),
        nn.Conv2d(16, width, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
    )


def save_program(path: Path, layers: nn.Module, output: nn.Linear) -> None:
    """Write it as the published file is: TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        program = torch.jit.script(Program(layers.eval(), output.eval()))
        program.save(str(path))  # type: ignore[no-untyped-call]
