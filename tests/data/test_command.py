"""A data set is one file and one entry, also in a package of somebody else's."""

from pathlib import Path

import numpy as np
import pytest

from sid.data.zips import read_zip
from tests.test_cli import sid

FACES = """
import numpy as np
from sid.data.zips import write_zip
from sid.options import Out

def command(out: Out, level: int = 3) -> None:
    print(write_zip(out, np.full((2, 1, 4, 4), level, np.uint8), np.arange(2)))
"""


def test_a_data_set_of_another_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "my_faces-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: my-faces\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[sid.data]\nmy-faces = my_faces:command\n")
    (tmp_path / "my_faces.py").write_text(FACES)
    monkeypatch.syspath_prepend(str(tmp_path))
    out = tmp_path / "faces.zip"
    assert sid(monkeypatch, "data", "my-faces", "--level", 9, "--out", out) == 0
    assert "2 images, 1x4x4, 2 classes" in capsys.readouterr().out
    assert np.array_equal(read_zip(out).images, np.full((2, 1, 4, 4), 9))
    assert sid(monkeypatch, "data", "--help") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("digits", "fashion-mnist", "my-faces", "prepare"))
