"""Images by their places in the training order: the same from a thread, from memory and again."""

import queue
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from sid.data.images import ImageSet
from sid.data.loader import Loader, to_unit
from sid.data.zips import read_zip, write_zip
from sid.distill.distillation import Distillation
from sid.errors import UserError
from sid.networks import Architecture
from sid.runs.world import World
from sid.streams import epoch_order
from tests.conftest import CPU, tiny_recipe
from tests.data.test_zips import rewrite

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 1, 8, 8), dtype=np.uint8)
LABELS = np.arange(20) % 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_zip(tmp_path / "digits.zip", IMAGES, LABELS)
    return tmp_path / "digits.zip"


class Watched:
    """Images that are read when they are asked for, and who asked for which."""

    shape = IMAGES.shape

    def __init__(self) -> None:
        self.asked: queue.Queue[tuple[list[int], str]] = queue.Queue()

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, index: np.ndarray) -> np.ndarray:
        self.asked.put((index.tolist(), threading.current_thread().name))
        return IMAGES[index]


@pytest.mark.parametrize("size", [1, 2])
def test_what_each_place_holds(path: Path, size: int) -> None:
    """Over three epochs, in any form, from any process, also where a run goes on amid the order."""
    order = epoch_order(5, 0, 56, 20).numpy()
    for eager in (0, 2**30):
        data = read_zip(path, eager_bytes=eager)
        for rank in range(size):
            world = World(rank, size)
            loader = Loader(data, 5, CPU, world, batch=8, micro=2)
            for step in (0, 8, 16, 24, 40, 48, 8):
                for start, stop in world.share(step, step + 8, 2):
                    chosen = order[start:stop]
                    expected = to_unit(torch.from_numpy(IMAGES[chosen]))
                    assert torch.equal(loader.images(start, stop), expected)
                    classes = loader.classes(start, stop, 4)
                    assert classes is not None
                    assert classes.argmax(1).tolist() == LABELS[chosen].tolist()
                    assert loader.classes(start, stop, 0) is None


@pytest.mark.parametrize(
    ("rank", "places"), [(0, [(0, 2), (2, 4), (8, 10)]), (1, [(4, 6), (6, 8), (12, 14)])]
)
def test_the_next_is_read_without_being_asked_for(rank: int, places: list[tuple[int, int]]) -> None:
    """By another thread: the next micro-batch of this process, be it in this step or the next."""
    images = Watched()
    loader = Loader(ImageSet("x", images, None, ""), 0, CPU, World(rank, 2), batch=8, micro=2)
    loader.images(*places[0])
    loader.images(*places[1])
    for place in places:
        index, thread = images.asked.get(timeout=60)
        assert index == epoch_order(0, *place, 20).tolist()
        assert thread != threading.current_thread().name


def test_damage_is_told_where_its_image_is_asked_for(path: Path, tmp_path: Path) -> None:
    bad = rewrite(path, tmp_path / "bad.zip", {"00000/img00000007.png": b"no image"})
    loader = Loader(read_zip(bad, eager_bytes=0), 0, CPU, World(), batch=4, micro=4)
    at = loader.index(0, 20).tolist().index(7) // 4 * 4  # The micro-batch with image 7.
    for start in range(0, at, 4):
        loader.images(start, start + 4)
    for _ in range(2):
        with pytest.raises(UserError, match=r"bad\.zip: 00000/img00000007\.png is damaged"):
            loader.images(at, at + 4)


def test_training_is_the_same_bit_for_bit(path: Path) -> None:
    """Of images in memory or read ahead, in one go or gone on with after a step."""
    torch.manual_seed(0)
    shape = {"img_resolution": 8, "img_channels": 1, "label_dim": 4}
    teacher = Architecture(model_channels=8, channel_mult=(1,), num_blocks=1, **shape).build()
    method = {"name": "sida", "generator_from_kimg": 0, "adversarial_from_kimg": 0}
    recipe = tiny_recipe(batch=8, micro_batch=4, method=method)

    def trainee(eager: int) -> Distillation:
        data = read_zip(path, eager_bytes=eager)
        return Distillation(recipe, teacher, None, data, 0, CPU, World())

    whole, ahead, resumed = trainee(2**30), trainee(0), trainee(0)
    for step in range(4):
        whole.step(8 * step)
        ahead.step(8 * step)
        if step == 1:
            resumed.unpack({name: tensor.clone() for name, tensor in ahead.pack().items()})
        elif step > 1:
            resumed.step(8 * step)
    expected = whole.pack()
    for other in (ahead, resumed):
        found = other.pack()
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert torch.equal(found[name], tensor), name
