"""The package installed from a wheel, in a folder that is no checkout."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pandas as pd
import pytest

from sid.config import recipe_files

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
pytestmark = pytest.mark.slow


def called(*words: object, cwd: Path) -> str:
    """What a command prints on standard output, with no path to this checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = list(map(str, words))
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `sid` command of an environment that has the wheel.

    The packages that it needs are those of the running environment. A path in a `.pth` file brings
    the packages that are there, and not that environment's own `.pth` file with this checkout.
    """
    top = tmp_path_factory.mktemp("install")
    source, environment = top / "source", top / "environment"
    source.mkdir()
    for name in ("sid", "baselines", "config"):
        shutil.copytree(ROOT / name, source / name, symlinks=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    offline = ["--no-index", "--no-deps"]
    called(*PIP, "wheel", *offline, "--no-build-isolation", "--wheel-dir", top, source, cwd=top)
    venv.create(environment)
    python = environment / "bin" / "python"
    called(*PIP, "--python", python, "install", *offline, *top.glob("*.whl"), cwd=top)
    shutil.rmtree(source)
    packages = sysconfig.get_path("purelib", vars={"base": str(environment)})
    Path(packages, "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return environment / "bin" / "sid"


def test_recipes_and_tables_come_with_the_package(sid: Path, tmp_path: Path) -> None:
    table = called(sid, "recipes", cwd=tmp_path)
    assert set(recipe_files()) <= {word.rstrip(":") for word in table.split()}
    shown = called(sid, "recipes", "show", "edm-imagenet-64x64-cond-adm", cwd=tmp_path)
    assert "kimg 2500000 README, options of the model: --duration=2500" in " ".join(shown.split())
    cost = called(sid, "cost", "cifar10-uncond-sid-alpha1.2", "--gpu", "h100", cwd=tmp_path)
    assert "500 Mimg in fp32, 466 GFLOP an image" in cost
    assert "edm-ffhq-64x64-uncond-vp.pkl" in called(sid, "fetch", cwd=tmp_path)
    needs = called(sid, "fetch", "--experiment", "fashion-mnist", cwd=tmp_path)
    assert needs == "fashion-mnist: needs nothing from the web\n"
    told = called(sid, "claims", "cifar10-uncond-sid-alpha1.2/fid", cwd=tmp_path)
    assert "1.923" in told
    assert "experiment=cifar10" in called(sid, "claims", "*1.2/below-alpha1", cwd=tmp_path)
    called(sid, "verdict", ROOT / "reports/reference/records.csv", "--out", "judged", cwd=tmp_path)
    numbers = pd.read_csv(tmp_path / "judged" / "published.csv")
    assert len(numbers) == len(pd.read_csv(ROOT / "baselines/published/results.csv"))


def test_recipe_is_tried_and_its_generator_measured(sid: Path, tmp_path: Path) -> None:
    tried = ["distill", "--recipe", "config/recipes/digits/sid.yaml", "--tiny", "--out", "one"]
    assert "distilled for 0.048 kimg" in called(sid, *tried, "--device", "cpu", cwd=tmp_path)
    measured = ["evaluate", "one", "one.inputs/digits.zip", "--device", "cpu"]
    table = called(sid, *measured, cwd=tmp_path)
    assert re.search(r"Frechet distance \(efficientnet-lite0\) +ours +\d", table), table
