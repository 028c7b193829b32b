"""Training a teacher with and without augmentation, on the real digits."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sid.data.images import to_unit
from sid.data.zips import read_zip, write_zip
from sid.errors import UserError
from sid.networks import load_network
from sid.runs.folder import snapshot_at
from sid.runs.world import World
from sid.streams import Stream, epoch_order
from sid.teacher import train
from sid.teacher.augment import augment, draw_parameters
from sid.teacher.loss import denoising_loss
from sid.teacher.recipe import TeacherRecipe
from sid.teacher.train import TeacherTraining, train_teacher
from tests.conftest import CPU, tiny_teacher

Tree = Callable[[Path], dict[str, bytes]]


def trained(recipe: TeacherRecipe, data: Path, out: Path) -> Path:
    train_teacher(recipe, data, out, seed=0, device=CPU, restart=False, quiet=True)
    return out


def test_augmented_teacher_repeats(digits_zip: Path, tmp_path: Path, tree: Tree) -> None:
    recipe = tiny_teacher(augment=0.5, kimg=0.3)
    first, second = (trained(recipe, digits_zip, tmp_path / name) for name in "ab")
    assert tree(first) == tree(second)
    network, _ = load_network(snapshot_at(first), CPU)
    assert network.architecture.augment_dim == 9
    x, sigma = torch.randn(4, 1, 8, 8), torch.ones(4)
    plain = network(x, sigma)
    assert torch.equal(network(x, sigma, None, torch.zeros(4, 9)), plain)
    assert not torch.equal(network(x, sigma, None, torch.ones(4, 9)), plain)


def test_network_learns_from_augmented_images_and_their_labels(
    digits_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a step shows the network is the augmented batch and the labels to match."""
    data, seen = read_zip(digits_zip), []
    recipe = tiny_teacher(augment=0.7)
    training = TeacherTraining(recipe, recipe.architecture((1, 8, 8)), data, 5, CPU, World())
    training.network.register_forward_pre_hook(lambda _, given: seen.extend(given))

    def loss(denoised: Tensor, clean: Tensor, sigma: Tensor, sigma_data: float) -> Tensor:
        seen.append(clean)
        return denoising_loss(denoised, clean, sigma, sigma_data)

    monkeypatch.setattr(train, "denoising_loss", loss)
    training.step(64)
    x, sigma, _, told, clean = seen
    index = epoch_order(5, 64, 96, len(data.images))
    images, labels = augment(
        to_unit(torch.from_numpy(data.images)[index]), draw_parameters(5, "augment", 64, 96, 0.7)
    )
    noise = Stream(5, "noise").normal(64, 96, (1, 8, 8))
    assert torch.equal(clean, images)
    assert torch.equal(told, labels)
    assert torch.equal(x, images + sigma[:, None, None, None] * noise)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_channels": 3}, "a noise embedding of 3 channels"),
        ({"model_chanels": 8}, "model_chanels: unknown key; did you mean model_channels?"),
        ({"img_resolution": 16}, "network.img_resolution: is 16, but the data has 8"),
    ],
)
def test_impossible_networks(
    tmp_path: Path, digits_zip: Path, changes: dict[str, object], message: str
) -> None:
    recipe = tiny_teacher()
    recipe = recipe.model_copy(update={"network": {**recipe.network, **changes}})
    with pytest.raises(UserError, match="recipe digits: ") as refused:
        trained(recipe, digits_zip, tmp_path / "run")
    assert message in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_labels_are_needed_for_conditions(tmp_path: Path, digits_zip: Path) -> None:
    write_zip(tmp_path / "digits.zip", read_zip(digits_zip).images[:20], None)
    with pytest.raises(UserError, match="has no labels, and recipe digits is conditional"):
        trained(tiny_teacher(conditional=True), tmp_path / "digits.zip", tmp_path / "run")


def test_conditions_need_images_of_every_class(tmp_path: Path, digits_zip: Path) -> None:
    """Classes 0, 7, ... 63 would be 64, most of them of noise."""
    data = read_zip(digits_zip)
    assert data.labels is not None
    write_zip(tmp_path / "digits.zip", data.images[:100], 7 * data.labels[:100])
    with pytest.raises(UserError, match=r"digits\.zip: 54 of the classes 0 to 63 have no image, "):
        trained(tiny_teacher(conditional=True), tmp_path / "digits.zip", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    trained(tiny_teacher(kimg=0.1), tmp_path / "digits.zip", tmp_path / "run")  # Not looked at.
