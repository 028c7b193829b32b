import numpy as np
import pytest
import torch

from sid.evaluate import sampling
from sid.evaluate.sampling import sample_generator, sample_teacher, to_uint8
from sid.networks import Architecture, EDMPrecond
from sid.networks.precond import one_step
from sid.streams import Stream
from sid.teacher.sampler import Churn, heun, step_noise


def network(label_dim: int = 0) -> EDMPrecond:
    torch.manual_seed(0)
    made = Architecture(
        img_resolution=8,
        img_channels=1,
        label_dim=label_dim,
        model_channels=8,
        channel_mult=(1,),
        num_blocks=1,
        attn_resolutions=(),
    ).build()
    for parameter in made.parameters():  # Fresh networks end in zeros: their labels do nothing.
        torch.nn.init.normal_(parameter, std=0.1)
    return made.eval().requires_grad_(False)


def test_rounding() -> None:
    x = torch.tensor([-2, -1, -1 / 255, 0, 0.5, 1, 3])
    assert to_uint8(x).tolist() == [0, 0, 127, 128, 191, 255, 255]


def test_sample_depends_on_seed_and_index_alone() -> None:
    generator = network()
    many, few = (sample_generator(generator, n, 1, 2.5) for n in (1100, 3))
    assert many.shape == (1100, 1, 8, 8)
    assert many.dtype == np.uint8
    np.testing.assert_array_equal(many[:3], few)
    assert (sample_generator(generator, 3, 2, 2.5) != few).any()


def test_generator_is_one_step_from_the_stream() -> None:
    generator = network()
    z = Stream(4, "samples").normal(0, sampling.CHUNK, (1, 8, 8))
    expected = to_uint8(one_step(generator, z, 2.5, None))[:9]
    np.testing.assert_array_equal(sample_generator(generator, 9, 4, 2.5), expected.numpy())


def test_labels_come_from_their_own_stream() -> None:
    generator = network(label_dim=3)
    z = Stream(4, "samples").normal(0, sampling.CHUNK, (1, 8, 8))
    classes = Stream(4, "sample labels").integers(0, sampling.CHUNK, 3)
    expected = to_uint8(one_step(generator, z, 2.5, torch.eye(3)[classes]))[:9]
    np.testing.assert_array_equal(sample_generator(generator, 9, 4, 2.5), expected.numpy())
    other = to_uint8(one_step(generator, z, 2.5, torch.eye(3)[(classes + 1) % 3]))[:9]
    assert (other.numpy() != sample_generator(generator, 9, 4, 2.5)).any()


@pytest.mark.parametrize("steps", [1, 3])
def test_teacher_takes_two_evaluations_a_step_but_the_last(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "CHUNK", 16)
    teacher, calls = network(), []
    teacher.register_forward_hook(lambda *_: calls.append(1))
    images = sample_teacher(teacher, 5, 0, steps)
    assert len(calls) == 2 * steps - 1
    np.testing.assert_array_equal(sample_teacher(teacher, 30, 0, steps)[:5], images)


def test_churned_samples_depend_on_seed_and_index_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "CHUNK", 16)
    teacher, churn = network(), Churn(40, 0.05, 50, 1.003)
    many, few = (sample_teacher(teacher, n, 1, 4, churn) for n in (40, 20))
    np.testing.assert_array_equal(many[:20], few)
    assert (few != sample_teacher(teacher, 20, 1, 4)).any()
    z = Stream(1, "samples").normal(16, 32, (1, 8, 8))
    noise = step_noise(1, 16, 32, (1, 8, 8))
    expected = to_uint8(heun(teacher, z, 4, churn=churn, noise=noise))
    np.testing.assert_array_equal(many[16:32], expected.numpy())
