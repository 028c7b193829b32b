"""The published recipes: complete, sourced, and what the official scripts say."""

import csv
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from sid.config import recipe_files
from sid.distill.recipe import Recipe, load_recipe
from sid.errors import UserError
from sid.recipes.listing import UNSOURCED, load, source, values
from sid.runs.schedule import snapshot_times
from tests.recipes.published import DISTILLATIONS, FOLDERS, LOADED, RIVALS, ROOT, TEACHERS

with (ROOT / "baselines/published/flags.csv").open() as file:
    ROWS = list(csv.DictReader(file))
DEFAULTS = next(row for row in ROWS if row["section"] == "default")
SECTIONS = {"imagenet64-cond": "imagenet64", "afhq64-v2": "afhqv2-64"}
# The kind of recipe that a script makes; run_sid.sh has another alpha for AFHQ-v2.
SCRIPTS = {"run_sid.sh": "sid", "run_sida.sh": "sida", "run_sid_sida.sh": "sid2a"}


def options(*words: str) -> dict[str, str]:
    return dict(word.split("=") for word in words)


# NVlabs/edm (008a4e5), README, "Training new models"; what is not there is a default of train.py.
EDM = {
    "edm-cifar10-32x32-uncond-vp": options("cond=0", "arch=ddpmpp"),
    "edm-cifar10-32x32-cond-vp": options("cond=1", "arch=ddpmpp"),
    "edm-ffhq-64x64-uncond-vp": options(
        *("cond=0", "arch=ddpmpp", "batch=256", "cres=1,2,2,2", "lr=2e-4", "dropout=0.05"),
        "augment=0.15",
    ),
    "edm-afhqv2-64x64-uncond-vp": options(
        *("cond=0", "arch=ddpmpp", "batch=256", "cres=1,2,2,2", "lr=2e-4", "dropout=0.25"),
        "augment=0.15",
    ),
    "edm-imagenet-64x64-cond-adm": options(
        *("cond=1", "arch=adm", "duration=2500", "batch=4096", "lr=1e-4", "ema=50"),
        *("dropout=0.10", "augment=0", "fp16=1"),
    ),
}
EDM_DEFAULTS = options(
    *("duration=200", "batch=512", "lr=1e-3", "ema=0.5", "dropout=0.13", "augment=0.12"),
    *("cres=2,2,2", "fp16=0"),
)
# Of the official files, counted in their published descriptions: 55.7, 61.8 and 295.9 million.
PARAMETERS = {"cifar10": 55.7e6, "ffhq": 61.8e6, "afhqv2": 61.8e6, "imagenet": 295.9e6}


def test_every_experiment_of_both_papers_is_there() -> None:
    kinds = ("sid-alpha1", "sid-alpha1.2", "sida-alpha1", "sid2a-alpha1", "sid2a-alpha1.2")
    wanted = {f"{folder}-{kind}" for folder in FOLDERS for kind in kinds}
    wanted |= {f"cifar10-uncond-sid-alpha{alpha}" for alpha in ("-0.25", "0", "0.5", "0.75", "1.5")}
    assert set(DISTILLATIONS) == wanted
    assert set(TEACHERS) == set(EDM)


def test_all_recipes_load() -> None:
    for paths in recipe_files().values():
        for path in paths:
            load(path)


@pytest.mark.parametrize("name", [*LOADED, *RIVALS])
def test_each_value_has_a_source_and_each_source_a_value(name: str) -> None:
    recipe = {**LOADED, **RIVALS}[name]
    assert recipe.name == name
    found = values(recipe)
    assert [key for key in found if source(recipe, key) == UNSOURCED] == []
    keys = {".".join(key.split(".")[:n]) for key in found for n in range(1, key.count(".") + 2)}
    assert set(recipe.sources) - keys == set()
    if isinstance(recipe, Recipe):
        assert "method" not in recipe.sources, "say it of each option"


def kind_of(row: dict[str, str]) -> str:
    folder = SECTIONS.get(row["section"], row["section"])
    return f"{folder}-{SCRIPTS[row['script']]}-alpha{float(row['alpha']):g}"


@pytest.mark.parametrize("row", [row for row in ROWS if row["script"] in SCRIPTS], ids=kind_of)
def test_recipe_is_what_the_script_says(row: dict[str, str]) -> None:
    recipe = DISTILLATIONS[kind_of(row)]
    flags = {key: value or DEFAULTS[key] for key, value in row.items()}
    number = {key: float(value) for key, value in flags.items() if is_number(value)}
    half = flags["fp16"] == "1"
    tick = math.ceil(number["tick"] * 1000 / recipe.batch) * recipe.batch / 1000
    expected: dict[str, Any] = {
        "method.alpha": number["alpha"],
        "method.generator_weight": number["lsg"],
        "batch": number["batch"],
        "micro_batch": number["batch-gpu"],
        "kimg": number["duration"] * 1000,
        "lr_fake": number["lr"],
        "lr_generator": number["glr"],
        "betas_generator": [number["g_beta1"], 0.999],
        "betas_fake": [0.0, 0.999],
        "eps": 1e-6 if half else 1e-8,
        "precision": "fp16" if half else "fp32",
        "dropout": number["dropout"],
        "augment": number["augment"],
        "ema_kimg": number["ema"] * 1000,
        "sigma_init": number["init_sigma"],
        "t_max": number["tmax"],
        "every_kimg": pytest.approx(tick * number["snap"]),
    }
    if flags["use_gan"] == "1":
        expected["method.discriminator_weight"] = number["lsd"]
        expected["method.adversarial_weight"] = number["lsg_gan"]
    found = values(recipe)
    assert {key: found[key] for key in expected} == expected
    assert number["ls"] == 1  # It has no counterpart.

    data = "afhqv2-64x64.zip" if row["section"] == "afhq64-v2" else flags["data"]
    assert f"{recipe.data}.zip" == data
    teacher = TEACHERS[recipe.teacher]
    assert teacher.conditional == (flags["cond"] == "1")
    if not recipe.teacher.endswith("adm"):
        widths = [int(word) for word in (flags["cres"] or "2,2,2").split(",")]
        assert teacher.network["channel_mult"] == widths
    # cifar10-uncond/alpha1.2/network-snapshot-1.200000-403968.pkl
    folder, alpha = ([*flags["sid_model"].split("/"), ""])[:2]
    began = f"{folder.replace('afhq64', 'afhqv2-64')}-sid-{alpha}" if folder else None
    assert recipe.start == began


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", DISTILLATIONS)
def test_recipes_of_one_table_differ_in_what_they_are_named_for(name: str) -> None:
    """What no script says is what the script of the other alpha does."""
    stem = name.partition("-alpha")[0]
    scripted = next(kind_of(row) for row in ROWS if kind_of_is(row, stem))
    mine, other = values(DISTILLATIONS[name]), values(DISTILLATIONS[scripted])
    assert {key for key in mine if mine[key] != other[key]} <= {"method.alpha", "kimg"}


def kind_of_is(row: dict[str, str], stem: str) -> bool:
    return row["script"] in SCRIPTS and kind_of(row).partition("-alpha")[0] == stem


@pytest.mark.parametrize("name", TEACHERS)
def test_teacher_is_what_edm_says(name: str) -> None:
    teacher = TEACHERS[name]
    told = {**EDM_DEFAULTS, **EDM[name]}
    assert teacher.conditional == (told["cond"] == "1")
    assert (teacher.batch, teacher.kimg) == (int(told["batch"]), float(told["duration"]) * 1000)
    assert (teacher.lr, teacher.ema_kimg) == (float(told["lr"]), float(told["ema"]) * 1000)
    assert (teacher.augment, teacher.lr_rampup_kimg) == (float(told["augment"]), 10_000)
    assert teacher.network["dropout"] == float(told["dropout"])
    assert teacher.network["use_fp16"] == (told["fp16"] == "1")
    assert teacher.network["augment_dim"] == (9 if teacher.augment else 0)
    if told["arch"] == "ddpmpp":
        assert teacher.network["channel_mult"] == [int(w) for w in told["cres"].split(",")]
    assert teacher.weights == f"https://nvlabs-fi-cdn.nvidia.com/edm/pretrained/{name}.pkl"
    architecture = teacher.architecture()
    named = set(type(architecture).model_fields)
    assert set(teacher.network) == named, "every argument of the constructor"
    with torch.device("meta"):
        count = sum(p.numel() for p in architecture.build().parameters())
    assert count == pytest.approx(PARAMETERS[name.split("-")[1]], rel=1e-3)


# Thousands of images of the published checkpoints of SiD; those of ImageNet are of resumed runs.
@pytest.mark.parametrize(
    ("name", "kimg"),
    [
        ("cifar10-uncond-sid-alpha1.2", 403_968),
        ("cifar10-uncond-sid-alpha1", 416_768),
        ("ffhq64-sid-alpha1.2", 498_176),
        ("afhqv2-64-sid-alpha1", 371_712),
        ("afhqv2-64-sida-alpha1", 127_488),
    ],
)
def test_snapshots_are_at_the_published_checkpoints(name: str, kimg: int) -> None:
    recipe = DISTILLATIONS[name]
    times = snapshot_times(
        *(int(recipe.kimg * 1000), recipe.batch, int(recipe.first_kimg * 1000)),
        *(recipe.per_decade, int((recipe.every_kimg or 0) * 1000)),
    )
    assert kimg * 1000 in times


def test_bases_lie_over_one_another(tmp_path: Path) -> None:
    texts = {
        "low": "batch: 8\nmethod: {name: sid, alpha: 1}\nsources: {batch: low, kimg: low}\n",
        "high": "batch: 16\nsources: {batch: high}\n",
        "top": "base: [low.yaml, high.yaml]\nname: n\ndata: d\nteacher: t\nkimg: 1\n"
        "lr_generator: 1\nlr_fake: 1\nema_kimg: 1\nmethod: {alpha: 2}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    recipe = load_recipe(tmp_path / "top.yaml")
    assert (recipe.batch, recipe.method.section) == (16, {"name": "sid", "alpha": 2})
    assert recipe.sources == {"batch": "high", "kimg": "low"}

    (tmp_path / "low.yaml").write_text("base: top.yaml\n")
    with pytest.raises(UserError, match="base: goes in a circle"):
        load_recipe(tmp_path / "top.yaml")
    (tmp_path / "low.yaml").write_text("- 1\n")
    with pytest.raises(UserError, match=r"low\.yaml: expected keys and values"):
        load_recipe(tmp_path / "top.yaml")
