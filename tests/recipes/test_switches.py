"""Every switch of a recipe does something: another value ends in other weights.

The network is of 8 x 8 pixels and a few thousand parameters, and a run of a few updates.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sid.data.images import ImageSet
from sid.data.zips import write_zip
from sid.distill.distillation import Distillation
from sid.distill.gates import Gates
from sid.distill.recipe import Recipe
from sid.distill.sid import SiD
from sid.distill.sida import SiDA
from sid.distill.train import distill
from sid.errors import UserError
from sid.networks import Architecture, EDMPrecond, save_network
from sid.runs.world import World
from tests.conftest import CPU

BATCH, UPDATES = 4, 4
SIDA = {"name": "sida", "alpha": 1.0, "generator_from_kimg": 0, "adversarial_from_kimg": 0}
CONTENTS = np.random.default_rng(0)
IMAGES = CONTENTS.integers(0, 256, (12, 1, 8, 8), dtype=np.uint8)
LABELS = np.arange(12) % 3

# Each field of a recipe: another value, or why there is none to try.
CHANGES: dict[str, Any] = {
    "batch": 2,
    "micro_batch": 2,
    "lr_generator": 2e-4,
    "lr_fake": 2e-4,
    "lr_warmup_kimg": 0.008,
    "lr_decay": 0.5,
    "optimizer": "radam",
    "weight_decay": 0.1,
    "clip_norm": 0.01,
    "betas_generator": (0.9, 0.999),
    "betas_fake": (0.0, 0.99),
    "eps": 1e-6,
    "precision": "bf16",
    "dropout": 0.13,
    "augment": 0.12,
    "ema_kimg": 0.001,
    "ema_rampup": 1.0,
    "sigma_init": 2.0,
    "t_max": 700,
    "p_mean": -0.4,
    "p_std": 1.0,
}
ELSEWHERE = {
    "name": "a label",
    "data": "names the inputs",
    "teacher": "names the inputs",
    "method": "below, each option",
    "start": "below",
    "reference": "below",
    "kimg": "below, with the snapshots",
    "first_kimg": "below",
    "per_decade": "below",
    "every_kimg": "below",
    "gates": "below",
    "sources": "say nothing about the run",
}
# Options whose default does not bind on a network as small as this: the value to compare with.
FAMILY: dict[str, tuple[Any, Any]] = {
    "detached": (False, True),
    "weight": ("teacher-error", "1/sigma^2"),
    "fake_updates": (1, 2),
    "generator_noise": (None, {"law": "log-normal"}),
    "fake_noise": (None, {"law": "karras", "low": 20, "high": 980, "grid": True}),
    "fake_weight": ("edm", "flow"),
    "per_pixel": (False, True),
}
SID_OPTIONS: dict[str, tuple[Any, Any]] = {
    **FAMILY,
    "alpha": (1.2, 1.0),
    "generator_from_kimg": (0, 0.004),
    "generator_weight": (100.0, 10.0),
    "fake_grad_clip": (None, 0.001),
}
SIDA_OPTIONS: dict[str, tuple[Any, Any]] = {
    **FAMILY,
    "alpha": (1.0, 1.2),
    "generator_from_kimg": (0, 0.004),
    "generator_weight": (100.0, 10.0),
    "fake_grad_clip": (1.0, None),
    "adversarial_from_kimg": (0, 0.008),
    "discriminator_weight": (1.0, 100.0),
    "adversarial_weight": (0.01, 1.0),
    "logit_bound": (10.0, 0.01),
}


def network(seed: int, **changes: Any) -> EDMPrecond:
    shape = {"img_resolution": 8, "img_channels": 1, "label_dim": 3, "augment_dim": 9}
    width = {"model_channels": 8, "channel_mult": (1,), "num_blocks": 1, "attn_resolutions": ()}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Architecture(**{**shape, **width, **changes}).build()
        for parameter in made.parameters():  # Layers that begin at zero would hide switches.
            parameter.data += 0.1 * torch.randn_like(parameter)
    return made.eval().requires_grad_(False)


TEACHER, START = network(0), network(1)
DATA = ImageSet("tiny", IMAGES, LABELS, "")


def recipe(**changes: Any) -> Recipe:
    values = {"name": "r", "data": "tiny", "teacher": "t", "method": {"name": "sid"}}
    values |= {"batch": BATCH, "kimg": BATCH * UPDATES / 1000, "ema_kimg": 0.01, "ema_rampup": 0.5}
    return Recipe(**{**values, "lr_generator": 1e-3, "lr_fake": 1e-3, **changes})


def end(
    chosen: Recipe, start: EDMPrecond | None = None, teacher: EDMPrecond = TEACHER
) -> dict[str, Tensor]:
    """The averaged generator after the whole budget."""
    run = Distillation(chosen, teacher, start, DATA, 0, CPU, World())
    for images in range(0, BATCH * UPDATES, chosen.batch):
        run.step(images)
    return {name: tensor.clone() for name, tensor in run.average.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    assert all(torch.isfinite(tensor).all() for tensor in other.values())
    return all(torch.equal(one[name], other[name]) for name in one)


def first_gradient(chosen: Recipe) -> float:
    """Norm of the generator's first gradient, which Adam has not yet made a sign of."""
    return Distillation(chosen, TEACHER, None, DATA, 0, CPU, World()).step(0)["generator_gradient"]


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, Tensor]]:
    """What the unchanged recipes end in, and that the same run ends in the same."""
    ends = {"sid": end(recipe()), "sida": end(recipe(method=SIDA))}
    assert same(ends["sid"], end(recipe()))
    return ends


def test_no_switch_is_forgotten() -> None:
    assert {*CHANGES, *ELSEWHERE} == set(Recipe.model_fields)
    huber = {"huber"}  # Of the weight `pseudo-huber` alone, below.
    assert set(SID_OPTIONS) | huber == set(SiD.model_fields)
    assert set(SIDA_OPTIONS) | huber == set(SiDA.model_fields)


@pytest.mark.parametrize("method", ["sid", "sida"])
@pytest.mark.parametrize("key", CHANGES)
def test_field_changes_the_weights(
    key: str, method: str, plain: dict[str, dict[str, Tensor]]
) -> None:
    options = {"name": "sid"} if method == "sid" else SIDA
    assert not same(plain[method], end(recipe(method=options, **{key: CHANGES[key]})))


def test_micro_batch_is_rounding_for_sid_and_more_for_sida() -> None:
    """SiD's loss is a mean over images; SiDA's cross-entropy multiplies that of its neighbours."""
    sid, sida = (
        first_gradient(recipe(method=method, micro_batch=2)) / first_gradient(recipe(method=method))
        for method in ({"name": "sid"}, {**SIDA, "generator_weight": 1e-6})
    )
    assert sid == pytest.approx(1, abs=1e-4)
    assert sida != pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("key", SID_OPTIONS)
def test_option_of_sid(key: str) -> None:
    one, other = (end(recipe(method={"name": "sid", key: value})) for value in SID_OPTIONS[key])
    assert not same(one, other)


def test_huber() -> None:
    """Adam undoes what scales all images alike: the constant changes how images compare."""
    section = {"name": "sid", "weight": "pseudo-huber"}
    one, other = (end(recipe(method={**section, "huber": value})) for value in (0.01, 1.0))
    assert not same(one, other)


@pytest.mark.parametrize("key", SIDA_OPTIONS)
def test_option_of_sida(key: str) -> None:
    one, other = (end(recipe(method={**SIDA, key: value})) for value in SIDA_OPTIONS[key])
    assert not same(one, other)


def test_reference(plain: dict[str, dict[str, Tensor]]) -> None:
    """The paper's SiDA has neither bound; of SiD no difference is known."""
    assert not same(plain["sida"], end(recipe(method=SIDA, reference="paper")))
    assert same(plain["sid"], end(recipe(reference="paper")))
    bounds = {"logit_bound": None, "fake_grad_clip": None}
    paper = recipe(method=SIDA, reference="paper").method
    assert paper.model_dump() == recipe(method={**SIDA, **bounds}).method.model_dump()


def test_start(plain: dict[str, dict[str, Tensor]]) -> None:
    assert not same(plain["sida"], end(recipe(method=SIDA, start="other"), START))


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_precision_of_gpus(precision: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip(f"{precision} is of GPUs; on a CPU it is float32")
    ends = {}
    for chosen in ("fp32", precision):
        device = torch.device("cuda")
        run = Distillation(recipe(precision=chosen), TEACHER, None, DATA, 0, device, World())
        run.step(0)
        ends[chosen] = run.generator.state_dict()
    assert not same(ends["fp32"], ends[precision])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The data set and the teacher as files."""
    folder = tmp_path_factory.mktemp("switches")
    write_zip(folder / "tiny.zip", IMAGES, LABELS)
    save_network(folder / "teacher.safetensors", TEACHER, {"kind": "denoiser"})
    return folder / "tiny.zip", folder / "teacher.safetensors"


# The random teacher makes noise, which the gates would stop.
BLIND = Gates(min_spread=None, max_noise=None, max_distance=None)


def run(chosen: Recipe, files: tuple[Path, Path], out: Path) -> Path:
    distill(chosen, *files, None, out, seed=0, device=CPU, restart=False, quiet=True)
    return out


def snapshots(chosen: Recipe, files: tuple[Path, Path], out: Path) -> dict[int, bytes]:
    paths = sorted((run(chosen, files, out) / "snapshots").iterdir())
    return {int(path.stem): path.read_bytes() for path in paths}


def test_schedule_of_snapshots(files: tuple[Path, Path], tmp_path: Path) -> None:
    base = {"first_kimg": 0.004, "per_decade": 1, "kimg": 0.04, "gates": BLIND}
    plain = snapshots(recipe(**base), files, tmp_path / "plain")
    assert set(plain) == {0, 4, 40}
    wanted = {
        "first_kimg": (0.008, {0, 8, 40}),
        "per_decade": (4, {0, 4, 8, 16, 24, 40}),
        "every_kimg": (0.012, {0, 4, 12, 24, 36, 40}),
        "kimg": (0.02, {0, 4, 20}),
    }
    for key, (value, times) in wanted.items():
        found = snapshots(recipe(**{**base, key: value}), files, tmp_path / key)
        assert set(found) == times, key
        # And when snapshots are taken changes nothing in them.
        assert all(found[images] == plain[images] for images in found.keys() & plain.keys()), key


def test_gates_stop_and_change_nothing(files: tuple[Path, Path], tmp_path: Path) -> None:
    open_ = BLIND.model_copy(update={"max_dropped": None, "max_sanitised": None})
    one = snapshots(recipe(gates=BLIND), files, tmp_path / "one")
    assert one == snapshots(recipe(gates=open_), files, tmp_path / "other")
    shut = BLIND.model_copy(update={"min_spread": 1e6})
    with pytest.raises(UserError, match="min_spread"):
        run(recipe(gates=shut), files, tmp_path / "shut")
