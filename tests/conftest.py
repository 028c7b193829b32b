"""Small real inputs that many tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sid.data.sets.digits import digits
from sid.data.zips import write_zip
from sid.distill.recipe import Recipe
from sid.distill.train import distill
from sid.teacher.recipe import TeacherRecipe
from sid.teacher.train import train_teacher

CPU = torch.device("cpu")

torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, so that no process is alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def digits_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real digits, with a space in their path."""
    path = tmp_path_factory.mktemp("the data") / "digits.zip"
    write_zip(path, *digits())
    return path


# Of methods whose warm-ups or stages are longer than a run of a thousand images.
OPTIONS: dict[str, dict[str, Any]] = {
    "sida": {"generator_from_kimg": 0.2, "adversarial_from_kimg": 0.4},
    "ect": {"double_kimg": 0.3},
}


def tiny_teacher(**changes: Any) -> TeacherRecipe:
    """A teacher of a few thousand parameters, trained in a second, with dropout."""
    network = {"model_channels": 8, "channel_mult": [1], "num_blocks": 1, "attn_resolutions": []}
    values: dict[str, Any] = {
        "name": "digits",
        "network": network,
        "batch": 32,
        "kimg": 1.0,
        "lr": 2e-3,
        "ema_kimg": 0.5,
        "ema_rampup": 0.5,
    }
    return TeacherRecipe(**{**values, **changes})


def tiny_recipe(**changes: Any) -> Recipe:
    """A distillation of that teacher, done in a second or two."""
    values: dict[str, Any] = {
        "name": "sid",
        "data": "digits",
        "teacher": "digits",
        "method": {"name": "sid", "alpha": 1.2},
        "batch": 32,
        "kimg": 1.0,
        "lr_generator": 1e-4,
        "lr_fake": 1e-4,
        "ema_kimg": 0.5,
        "ema_rampup": 0.5,
        "first_kimg": 0.1,
        "per_decade": 3,
    }
    return Recipe(**{**values, **changes})


def distilled(recipe: Recipe, data: Path, teacher: Path, out: Path, **changes: Any) -> Path:
    """The run folder of a distillation on the CPU, of seed 0 where nothing else is given."""
    options = {"seed": 0, "device": CPU, "restart": False, "quiet": True, **changes}
    distill(recipe, data, teacher, options.pop("start", None), out, **options)
    return out


@pytest.fixture(scope="session")
def teacher_run(digits_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a trained tiny teacher."""
    out = tmp_path_factory.mktemp("teacher") / "digits"
    train_teacher(tiny_teacher(), digits_zip, out, seed=0, device=CPU, restart=False, quiet=True)
    return out


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """What a finished run is, as bytes by name: everything but clocks, locks and checkpoints."""

    def read(run: Path) -> dict[str, bytes]:
        paths = [run / "log.jsonl", *sorted((run / "snapshots").iterdir())]
        return {path.name: path.read_bytes() for path in paths}

    return read
