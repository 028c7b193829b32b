"""What is freed stays with the process, in a process of its own."""

import os
import platform
import subprocess
import sys

import pytest

# A few tensors of some megabytes that come and go together, as those of a step do.
PROGRAM = """
import resource, sys
import torch
from sid.options import set_up_device

if sys.argv[1] == "kept":
    set_up_device("cpu", 1)

def step():
    tensors = [torch.ones(2**20) for _ in range(8)]

for _ in range(9):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_pages_are_not_made_anew() -> None:
    # Else the C library may come to keep such blocks by itself, or not.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**20)}
    faults = {
        mode: int(subprocess.check_output([sys.executable, "-c", PROGRAM, mode], env=environment))
        for mode in ("as it is", "kept")
    }
    # Pages of 4 kB or of 2 MB, as the system has it.
    assert 10 * faults["kept"] < faults["as it is"]
