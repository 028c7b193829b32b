import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sid.evaluate.samplers import CHUNK, Sampler, sample_generator, sample_teacher, to_uint8
from sid.networks import EDMPrecond
from sid.networks.precond import one_step
from sid.streams import Stream
from sid.teacher.sampler import Churn, heun, step_noise
from tests.evaluate import cases


def network(label_dim: int = 0) -> EDMPrecond:
    made = cases.network(label_dim=label_dim)
    for parameter in made.parameters():  # Fresh networks end in zeros: their labels do nothing.
        torch.nn.init.normal_(parameter, std=0.1)
    return made.eval().requires_grad_(False)


def images_of(sampler: Sampler, n: int, size: int = CHUNK) -> NDArray[np.uint8]:
    return np.concatenate(list(sampler.chunks(n, size)))


def test_rounding() -> None:
    x = torch.tensor([-2, -1, -1 / 255, 0, 0.5, 1, 3])
    assert to_uint8(x).tolist() == [0, 0, 127, 128, 191, 255, 255]


def test_sample_depends_on_seed_and_index_alone() -> None:
    generator = network()
    many, few = (images_of(sample_generator(generator, 1, 2.5), n) for n in (1100, 3))
    assert many.shape == (1100, 1, 8, 8)
    assert many.dtype == np.uint8
    np.testing.assert_array_equal(many[:3], few)
    assert (images_of(sample_generator(generator, 2, 2.5), 3) != few).any()


def test_labels_come_from_their_own_stream() -> None:
    generator = network(label_dim=3)
    z = Stream(4, "samples").normal(0, CHUNK, (1, 8, 8))
    classes = Stream(4, "sample labels").integers(0, CHUNK, 3)
    expected = to_uint8(one_step(generator, z, 2.5, torch.eye(3)[classes]))[:9]
    found = images_of(sample_generator(generator, 4, 2.5), 9)
    np.testing.assert_array_equal(found, expected.numpy())
    other = to_uint8(one_step(generator, z, 2.5, torch.eye(3)[(classes + 1) % 3]))[:9]
    assert (other.numpy() != found).any()


@pytest.mark.parametrize("steps", [1, 3])
def test_teacher_takes_two_evaluations_a_step_but_the_last(steps: int) -> None:
    teacher, calls = network(), []
    teacher.register_forward_hook(lambda *_: calls.append(1))
    images = images_of(sample_teacher(teacher, 0, steps), 5, 16)
    assert len(calls) == 2 * steps - 1
    np.testing.assert_array_equal(images_of(sample_teacher(teacher, 0, steps), 30, 16)[:5], images)


def test_churned_samples_depend_on_seed_and_index_alone() -> None:
    teacher, churn = network(), Churn(40, 0.05, 50, 1.003)
    many, few = (images_of(sample_teacher(teacher, 1, 4, churn), n, 16) for n in (40, 20))
    np.testing.assert_array_equal(many[:20], few)
    assert (few != images_of(sample_teacher(teacher, 1, 4), 20, 16)).any()
    z = Stream(1, "samples").normal(16, 32, (1, 8, 8))
    noise = step_noise(1, 16, 32, (1, 8, 8))
    expected = to_uint8(heun(teacher, z, 4, churn=churn, noise=noise))
    np.testing.assert_array_equal(many[16:32], expected.numpy())


def test_another_chunk_moves_a_pixel_by_one_level_at_most() -> None:
    generator = network()
    usual, others = (images_of(sample_generator(generator, 1, 2.5), 600, n) for n in (CHUNK, 7))
    apart = np.abs(usual.astype(int) - others)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3
