"""How numbers are rounded: float32 and fp16 as published, TF32 and bf16 on the user's evidence."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

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


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """What forward passes run in: bfloat16 where torch thinks it safe, or nothing."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@contextmanager
def full_float32() -> Iterator[None]:
    """Metrics in full float32 on GPUs and CPUs, whatever the caller has set; set back afterwards.

    There is no TF32, no bf16, no autocast and no sum in reduced precision within.
    """
    backends: Any = torch.backends  # Its stubs lack mkldnn's parts.
    matmul = backends.cuda.matmul
    wanted: dict[tuple[object, str], object] = {
        (place, "fp32_precision"): "ieee"
        for place in (matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv)
    }
    wanted[matmul, "allow_fp16_reduced_precision_reduction"] = False
    wanted[matmul, "allow_bf16_reduced_precision_reduction"] = False
    wanted[backends.cudnn, "benchmark"] = False
    before = {key: getattr(*key) for key in wanted}
    try:
        for (place, name), value in wanted.items():
            setattr(place, name, value)
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            yield
    finally:
        for (place, name), value in before.items():
            setattr(place, name, value)
