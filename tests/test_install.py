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


def called(*words: object, cwd: Path, asked: str = "") -> str:
    """What a command prints on standard output, with no path to this checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = list(map(str, words))
    done = subprocess.run(
        command, cwd=cwd, env=environment, input=asked, capture_output=True, text=True
    )
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


# Each command in the process of the one before, which has imported torch.
EACH = """\
import sys
from sid.cli import main
for words in sys.stdin.read().splitlines():
    sys.argv = ["sid", *words.split("|")]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, words
    print("=" * 9)
"""


def test_recipes_and_tables_come_with_the_package(sid: Path, tmp_path: Path) -> None:
    commands = (
        ("recipes",),
        ("recipes", "show", "edm-imagenet-64x64-cond-adm"),
        ("cost", "cifar10-uncond-sid-alpha1.2", "--gpu", "h100"),
        ("fetch",),
        ("fetch", "--experiment", "fashion-mnist"),
        ("claims", "cifar10-uncond-sid-alpha1.2/fid"),
        ("claims", "*1.2/below-alpha1"),
        ("verdict", f"{ROOT}/reports/reference/records.csv", "--out", "judged"),
    )
    asked = "\n".join("|".join(words) for words in commands)
    told = called(sid.with_name("python"), "-c", EACH, cwd=tmp_path, asked=asked)
    table, shown, cost, files, needs, claim, ranking, *_ = told.split("=" * 9 + "\n")
    assert set(recipe_files()) <= {word.rstrip(":") for word in table.split()}
    assert "kimg 2500000 README, options of the model: --duration=2500" in " ".join(shown.split())
    assert "500 Mimg in fp32, 466 GFLOP an image" in cost
    assert "edm-ffhq-64x64-uncond-vp.pkl" in files
    assert needs == "fashion-mnist: needs nothing from the web\n"
    assert "1.923" in claim
    assert "experiment=cifar10" in ranking
    numbers = pd.read_csv(tmp_path / "judged" / "published.csv")
    assert len(numbers) == len(pd.read_csv(ROOT / "baselines/published/results.csv"))


def test_recipe_is_tried_and_its_generator_measured(sid: Path, tmp_path: Path) -> None:
    tried = ["distill", "--recipe", "config/recipes/digits/sid.yaml", "--tiny", "--out", "one"]
    assert "distilled for 0.048 kimg" in called(sid, *tried, "--device", "cpu", cwd=tmp_path)
    measured = ["evaluate", "one", "one.inputs/digits.zip", "--device", "cpu"]
    table = called(sid, *measured, cwd=tmp_path)
    assert re.search(r"Frechet distance \(efficientnet-lite0\) +ours +\d", table), table
