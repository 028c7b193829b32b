"""What docs/extending.md shows is installed beside the suite as it stands there, and works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from sid.data.sets.digits import digits
from sid.data.zips import read_zip, write_zip
from sid.distill.method import method_class
from sid.errors import UserError
from sid.evaluate.records import read_records
from sid.files import read_json
from sid.networks import load_network
from sid.networks.weights import load_tensors
from tests.test_cli import sid as here

DOCUMENT = Path(__file__).parent.parent / "docs" / "extending.md"
TABLE = re.compile(r'\[project\.entry-points\."(.+)"\]')


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The folder that `pip install` of a package with the document's files would leave."""
    text = DOCUMENT.read_text()
    folder = tmp_path / "installed"
    about = folder / "mine-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(code)
    tables = "\n".join(re.findall(r"```toml\n(.*?)```", text, re.DOTALL))
    (about / "entry_points.txt").write_text(TABLE.sub(r"[\1]", tables).replace('"', ""))
    return folder


def sid(package: Path, *words: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    command = [sys.executable, "-m", "sid", *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_data_set(package: Path, tmp_path: Path) -> None:
    sid(package, "data", "stripes", "--out", tmp_path / "stripes.zip", "--count", 50)
    data = read_zip(tmp_path / "stripes.zip")
    assert data.shape == (50, 1, 8, 8)
    assert data.labels is not None
    across = data.images[:][data.labels == 0]
    assert (across == across[:, :, :, :1]).all()


def test_a_metric_an_extractor_and_an_implementation(package: Path, tmp_path: Path) -> None:
    images, labels = digits()
    dark = (images[:200] * 0.5).astype(np.uint8)
    for name, part in (("generated", dark), ("real", images[200:400])):
        write_zip(tmp_path / f"{name}.zip", part, labels[:200])
    options = ["--extractor", "pixels-8x8", "--metrics", "fd,mean_shift", "--quiet"]
    options += ["--implementations", "ours,linear-algebra", "--json", tmp_path / "records.json"]
    shown = sid(package, "evaluate", tmp_path / "generated.zip", tmp_path / "real.zip", *options)
    assert "Shift of the mean (pixels-8x8)" in shown
    found = {(r.implementation, r.metric): r for r in read_records(tmp_path / "records.json")}
    ours = found["ours", "frechet_distance"]
    theirs = found["linear-algebra", "frechet_distance"]
    assert theirs.value == pytest.approx(ours.value, rel=1e-6)
    assert theirs.stderr == ours.stderr
    means = [part.reshape(200, -1).mean(axis=0) for part in (dark, images[200:400].astype(float))]
    shift = ((means[0] - means[1]) ** 2).sum()
    assert found["ours", "mean_shift"].value == pytest.approx(shift, rel=1e-6)
    assert set(found) == {
        ("ours", "mean_shift"),
        *((n, ours.metric) for n in ("ours", theirs.implementation)),
    }


METHODS = {"fading": {"fade_kimg": 0.5}, "critic": {"width": 4}}


@pytest.mark.parametrize("method", METHODS)
def test_a_method(method: str, package: Path, tmp_path: Path) -> None:
    """From its recipe to a run; what it trains is in the checkpoints."""
    recipe = yaml.safe_load(Path("config/recipes/digits/sid.yaml").read_text())
    recipe |= {"name": "mine", "method": {"name": method, **METHODS[method]}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(recipe))
    assert "of them learn " in sid(package, "recipes", "show", tmp_path / "mine.yaml")
    sid(package, "distill", "--recipe", tmp_path / "mine.yaml", "--tiny", "--out", tmp_path / "run")
    done = read_json(tmp_path / "run" / "manifest.json")
    assert done["recipe"]["method"]["name"] == method
    assert (tmp_path / "run" / "done.json").exists()
    if method == "critic":
        (last, *_) = sorted((tmp_path / "run" / "state").iterdir(), reverse=True)
        kept = load_tensors(last)[0]
        assert {"critic.0.weight", "critic_adam.0.exp_avg", "generator_adam.0.step"} <= set(kept)


def test_a_file_beside_the_rivals_is_a_method(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is touched: not the entry points, and no list."""
    import baselines.methods

    name = "baselines.methods.my_players"
    monkeypatch.setattr(baselines.methods, "__path__", [*baselines.methods.__path__, str(package)])
    for other in package.glob("*.py"):
        if other.stem != "my_players":
            other.unlink()
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, name)
    found = method_class("my-players")
    assert (found.__name__, found.__module__) == ("Critic", name)


def test_a_network(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is trained, distilled by SiDA, which needs its encoder, and sampled."""
    recipe = yaml.safe_load(Path("config/recipes/digits/digits.yaml").read_text())
    recipe |= {"network": {"model_type": "Plain", "width": 8}, "kimg": 1}
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(recipe))
    images, labels = digits()
    write_zip(tmp_path / "digits.zip", images[:256], labels[:256])
    given = ["--data", str(tmp_path / "digits.zip"), "--quiet"]
    teacher, run = str(tmp_path / "teacher"), tmp_path / "run"
    trained = ["--recipe", str(tmp_path / "digits.yaml"), *given, "--out", teacher]
    distilled = ["--recipe", "config/recipes/digits/sida.yaml", "--teacher", teacher, *given]
    samples = str(tmp_path / "samples.zip")
    with monkeypatch.context() as installed:
        installed.syspath_prepend(package)
        assert here(installed, "teacher", "train", *trained) == 0
        asked = ["--budget", "0.02", "--out", str(run)]
        assert here(installed, "distill", *distilled, *asked) == 0
        assert here(installed, "evaluate", "sample", str(run), "--out", samples, "--n", "4") == 0
    assert read_zip(Path(samples)).shape == (4, 1, 8, 8)
    weights = sorted((run / "snapshots").glob("*.safetensors"))[-1]
    with pytest.raises(UserError, match="model_type: Plain is unknown; known are SongUNet, Dhari"):
        load_network(weights, torch.device("cpu"))
