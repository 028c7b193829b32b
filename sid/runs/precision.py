"""How numbers are rounded: float32 and fp16 as published, TF32 and bf16 on the user's evidence."""

import contextlib
from typing import Literal

import torch

Precision = Literal["fp32", "fp16", "tf32", "bf16"]


def set_precision(precision: Precision) -> None:
    """Set what torch does for the whole process; TF32 off and fp16 sums in float32 as published.

    fp16 itself is the network's (`use_fp16`: its trunk, on GPUs), and bf16 is `autocast`.
    """
    fast = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = fast
    torch.backends.cudnn.allow_tf32 = fast
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager[None]:
    """What forward passes run in: bfloat16 where torch thinks it safe, or nothing."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()
