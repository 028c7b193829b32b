"""Memory does not grow with the number of images."""

import io
import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sid.data import sources
from sid.data.sources import read_images
from tests.data.forms import write_png

PEAK = """
import sys
from pathlib import Path
from sid.data.sources import read_images

data, total = read_images(Path(sys.argv[1])), 0
for start in range(0, len(data), 500):
    total += int(data.images[start : start + 500].sum())
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(total, status["VmHWM"].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_memory_does_not_grow_with_the_images(tmp_path: Path, kind: str) -> None:
    """30 MB and 300 MB, 3x32x32, in chunks of 500."""
    peaks = {}
    for n in (10_000, 100_000):
        path = tmp_path / f"{n}.{kind}"
        head, size = io.BytesIO(), n * 32 * 32 * 3
        np.lib.format.write_array_header_1_0(
            head, {"descr": "|u1", "fortran_order": False, "shape": (n, 32, 32, 3)}
        )
        if kind == "npy":
            with path.open("wb") as file:  # Of holes, and one byte at the end.
                file.write(head.getvalue())
                file.seek(size - 1, os.SEEK_CUR)
                file.write(b"\x07")
        else:
            archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            with archive, archive.open("arr_0.npy", "w") as member:
                member.write(head.getvalue())
                for _ in range(n // 1000):
                    member.write(bytes(size // n * 1000 - 1) + b"\x07")
        words = [sys.executable, "-c", PEAK, str(path)]
        total, peak = map(
            int, subprocess.run(words, capture_output=True, check=True).stdout.split()
        )
        assert total == (7 if kind == "npy" else 7 * n // 1000)
        peaks[n] = peak
    assert peaks[100_000] - peaks[10_000] < 4000  # kB; 270,000 more were read.


def test_memory_of_a_folder_is_that_of_a_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "EAGER_BYTES", 0)
    for i in range(200):
        write_png(tmp_path / f"{i:03d}.png", np.full((3, 128, 128), i, np.uint8))
    tracemalloc.start()
    data = read_images(tmp_path)
    means = [data.images[start : start + 10].mean(axis=(1, 2, 3)) for start in range(0, 200, 10)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.concatenate(means).tolist() == list(range(200))
    assert peak < 3 * 2**20  # All together are 9.4 MiB.
