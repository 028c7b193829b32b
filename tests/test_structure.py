"""The structure that docs/design.md promises: data flows one way, and functions stay readable."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.commands import snakemake

ROOT = Path(__file__).parent.parent
STAGES = ("data", "teacher", "distill", "evaluate", "verdict", "report", "verify", "bundle")
# What the command line is made of knows every stage; nothing else beside the line does.
KNOW_STAGES = ("cli", "cluster", "experiment", "recipes", "claims", "cost")
LONGEST = 60  # Lines of a function, docstring included.


def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted((ROOT / "sid").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.Module, known: set[str], *, lazy: bool) -> set[str]:
    """Modules of `sid` that a module imports; with those that its functions do when called."""
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    names = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [name if name in known else node.module for name in whole]
    return known & set(names)


MODULES = modules()


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: imports(tree, set(MODULES), lazy=False) for name, tree in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_stage_imports_a_later_one() -> None:
    places = {stage: place for place, stage in enumerate(STAGES)}
    for name, tree in MODULES.items():
        _, _, below = name.partition(".")
        room = below.split(".")[0]
        for other in imports(tree, set(MODULES), lazy=True):
            stage = other.split(".")[1] if "." in other else ""
            if stage not in places or room in KNOW_STAGES:
                continue
            assert room in places, f"{name}, which is beside the line, imports {other}"
            assert places[stage] <= places[room], f"{name} imports {other}, of a later stage"


def test_functions_are_short() -> None:
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= LONGEST, f"{name}.{node.name} has {lines} lines"


def test_the_picture_of_the_flow_is_that_of_the_rules() -> None:
    """The document's Mermaid graph has the edges that Snakemake finds between the rules."""
    done = snakemake("--rulegraph", "mermaid-js", "--config", "leg_kimg=10", cwd=ROOT)
    rules = dict(re.findall(r"(id\d+)\[(\w+)\]", done.stdout))
    edges = re.findall(r"(id\d+) --> (id\d+)", done.stdout)
    found = {(rules[one], rules[other]) for one, other in edges if rules[other] != "default"}
    (picture,) = re.findall(
        r"```mermaid\n(.*?)```", (ROOT / "docs" / "design.md").read_text(), re.DOTALL
    )
    assert set(re.findall(r"(\w+) --> (\w+)", picture)) == found
