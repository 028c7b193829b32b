"""The wheel, installed into an environment that has only what the plugin depends on."""

import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

EXECUTOR = Path(__file__).resolve().parent.parent
SNAKEFILE = """
import importlib.util


rule all:
    output:
        "installed",
    run:
        names = ["snakemake_executor_plugin_submitit", "snakemake", "torch", "sid"]
        open(output[0], "w").write(" ".join(filter(importlib.util.find_spec, names)))
"""


def install(requirements: list[str], site: Path) -> None:
    """Copy what requirements name, and need in turn, from this environment into another."""
    names: set[str] = set()
    left = [*requirements]
    while left:
        one = Requirement(left.pop())
        if one.name.lower() in names or not (one.marker is None or one.marker.evaluate()):
            continue
        names.add(one.name.lower())
        distribution = metadata.distribution(one.name)
        left += distribution.requires or []
        for file in distribution.files or []:
            source = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and file.suffix != ".pyc" and source.exists():
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, site / file)


def run(*words: object, cwd: Path) -> None:
    done = subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_wheel_runs_a_rule_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("setuptools", "77", reason="the wheel is built without a package index")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    pip, environment = [sys.executable, "-m", "pip"], tmp_path / "environment"
    source = shutil.copytree(EXECUTOR, tmp_path / "source")  # Building leaves files behind.
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", source, cwd=tmp_path)
    (wheel,) = tmp_path.glob("snakemake_executor_plugin_submitit-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    (site,) = environment.glob("lib/python*/site-packages")
    project = tomllib.loads((EXECUTOR / "pyproject.toml").read_text())["project"]
    install(project["dependencies"], site)
    python = environment / "bin" / "python"
    # Without an index pip fails where a dependency is missing or of a wrong version.
    run(*pip, "--python", python, "install", "--no-index", wheel, cwd=tmp_path)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    words = ["--executor", "submitit", "--submitit-cluster", "local", "--jobs", "1"]
    run(python, "-m", "snakemake", *words, cwd=tmp_path)
    installed = (tmp_path / "installed").read_text()
    assert installed == "snakemake_executor_plugin_submitit snakemake"
