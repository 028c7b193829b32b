"""The pins: one environment, said in three places."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def pins(lines: list[str]) -> dict[str, str]:
    """Versions by normalised name."""
    split = [line.split("==") for line in lines]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in split}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = pins(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
LINES = (ROOT / "constraints.txt").read_text().splitlines()
CONSTRAINTS = pins([line for line in LINES if not line.startswith("#")])


def test_conda_gets_the_same() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (section,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    assert pins(section) == {**DIRECT, **CONSTRAINTS}
    assert not DIRECT.keys() & CONSTRAINTS.keys()


def test_what_is_installed_is_what_is_pinned() -> None:
    for name, version in DIRECT.items():
        assert metadata.version(name).split("+")[0] == version, name


def test_citation_has_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == metadata.version("sid-bench")
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"
