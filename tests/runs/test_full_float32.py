"""Full float32 within, and the caller's settings after it."""

import subprocess
import sys

import pytest
import torch

from sid.runs.precision import full_float32

SETTINGS = {
    "legacy": "torch.backends.cuda.matmul.allow_tf32 = True",
    "high": "torch.set_float32_matmul_precision('high')",
    "everything": "torch.backends.fp32_precision = 'tf32'",
    "convolutions": "torch.backends.cudnn.conv.fp32_precision = 'tf32'",
}
LOOK = "b = torch.backends; print(b.cuda.matmul.fp32_precision, b.cudnn.conv.fp32_precision)"


@pytest.mark.parametrize("setting", SETTINGS)
def test_whatever_the_caller_set(setting: str) -> None:
    # A process of its own: torch refuses to read settings that were made in several ways.
    code = "import torch\nfrom sid.runs.precision import full_float32\n"
    code += f"{SETTINGS[setting]}\n{LOOK}\nwith full_float32():\n    {LOOK}\n{LOOK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, within, after = done.stdout.splitlines()
    assert within == "ieee ieee"
    assert before == after != within


def test_products_on_this_cpu() -> None:
    a, b = torch.randn(2, 200, 200, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        assert (a @ b).dtype == torch.bfloat16
        with full_float32():
            assert (a @ b).dtype == torch.float32
