"""`sid recipes`: the table, one recipe, and names that are slips of the pen."""

from pathlib import Path

import pytest

from tests.commands import accepted, refused, sid
from tests.recipes.published import DISTILLATIONS, ROOT, TEACHERS


def test_table_has_each_recipe_as_the_papers_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = accepted(sid("recipes")).splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert set(DISTILLATIONS) <= set(rows)
    assert rows["imagenet64-sid2a-alpha1.2"] == [
        *("imagenet64-sid2a-alpha1.2", "sid2a", "1.2", "8192", "32", "4e-06", "fp16", "0.1", "0"),
        *("2000", "100000", "imagenet64-sid-alpha1.2"),
    ]
    for name in TEACHERS:
        assert any(line.startswith(f"teacher {name}: batch ") for line in lines)
    heading = lines.index("cifar10-cond: data cifar10-32x32")
    assert lines[heading + 2].startswith("cifar10-cond-sid-alpha1 ")


@pytest.mark.parametrize("place", ["", "config/recipes/ffhq64/{}.yaml"])
def test_recipe_with_its_sources(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # The suite's own recipes are found from anywhere.
    name = "ffhq64-sid-alpha1.2"
    printed = accepted(sid("recipes", "show", place.format(name) or name))
    lines = {line.split()[0]: line.split() for line in printed.splitlines()}
    assert lines["betas_generator"][1:] == [
        "[0.9,",
        "0.999]",
        "run_sid.sh",
        *["ffhq64:", "--g_beta1", "0.9"],
    ]
    assert lines["method.alpha"][1] == "1.2"
    assert lines["gates.max_distance"][2] == "ours:"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar10-uncond-sida-alpha1.0", "did you mean cifar10-uncond-sida-alpha1?"),
        ("nothing-like-it-at-all-", "or give a .yaml file"),
        ("sid", "digits/sid.yaml and config/recipes/fashion-mnist/sid.yaml; say FOLDER/sid"),
        ("none.yaml", "error: none.yaml: no such file"),
    ],
)
def test_unknown_names(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    refused(sid("recipes", "show", name), message)


def test_tiny_from_the_command_line(tmp_path: Path) -> None:
    tiny = ["distill", "--recipe", "imagenet64-sid2a-alpha1.2", "--tiny", "--quiet"]
    accepted(sid(*tiny, "--device", "cpu", "--out", tmp_path / "run"))
    assert (tmp_path / "run" / "done.json").exists()
