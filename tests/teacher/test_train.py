"""A teacher's recipe is refused before anything is written."""

from pathlib import Path

import pytest

from sid.errors import UserError
from sid.teacher.recipe import NetworkRecipe
from sid.teacher.train import train_teacher
from tests.conftest import CPU, tiny_teacher


@pytest.mark.parametrize(
    ("channels", "mult", "message"),
    [
        (3, (1,), "network: a noise embedding of 3 channels"),
        (8, (1,) * 5, "network: img_resolution 8 is not divisible by 2"),
        (10**7, (1,), "network: model_channels: input should be less than"),
    ],
)
def test_impossible_networks(
    tmp_path: Path, digits_zip: Path, channels: int, mult: tuple[int, ...], message: str
) -> None:
    network = NetworkRecipe(model_channels=channels, channel_mult=mult, num_blocks=1)
    out = tmp_path / "run"
    with pytest.raises(UserError, match=f"^recipe digits: {message}"):
        train_teacher(
            tiny_teacher(network=network),
            digits_zip,
            out,
            seed=0,
            device=CPU,
            restart=False,
            quiet=True,
        )
    assert not out.exists()
