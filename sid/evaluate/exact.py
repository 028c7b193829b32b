"""Metric maths in full float32 whatever the caller has set, and his settings back after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def exact() -> Iterator[None]:
    """No TF32, no bf16, no autocast, no reduced-precision sums within, on GPUs and on CPUs."""
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
