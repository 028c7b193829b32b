"""Four processes that train one run: killed, told to end, one of them alone or all of them."""

import os
import signal
import socket
from pathlib import Path

import pytest
import torch
import yaml

from sid.networks.weights import load_tensors
from sid.runs.world import port_of
from sid.teacher.train import train_teacher
from tests.conftest import CPU, tiny_recipe, tiny_teacher
from tests.processes import Run, newest, outcome

SIZE = 4
WIDE = {"model_channels": 48, "channel_mult": [1], "num_blocks": 1, "attn_resolutions": []}


@pytest.fixture(scope="module")
def words(digits_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A distillation whose gradients take more than a megabyte, so that gloo cuts them up."""
    folder = tmp_path_factory.mktemp("inputs")
    teacher = tiny_teacher(network=WIDE, batch=8, kimg=0.016)
    train_teacher(
        teacher, digits_zip, folder / "teacher", seed=0, device=CPU, restart=False, quiet=True
    )
    chosen = tiny_recipe(batch=8, micro_batch=2, kimg=0.16, dropout=0.1, lr_decay=0.5)
    (folder / "sid.yaml").write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    inputs = ["--data", digits_zip, "--teacher", folder / "teacher", "--recipe"]
    return ["distill", *inputs, folder / "sid.yaml", "--device", "cpu"]


@pytest.fixture(scope="module")
def whole(words: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of four that nothing disturbed."""
    run = Run(SIZE, words, tmp_path_factory.mktemp("whole") / "run")
    assert run.end() == [0] * SIZE, run.said()
    return run.out


def test_ended_anyhow_it_equals_undisturbed(
    words: list[object], whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run = Run(SIZE, words, out)
    run.trains()
    run.signal(signal.SIGUSR2, 2)  # One alone: all agree, and none waits for ever.
    assert run.end() == [-signal.SIGUSR2] * SIZE, run.said()
    first = newest(out)
    assert f"told to end; checkpoint at {first} images" in run.said()

    run = Run(SIZE, words, out)
    run.trains()
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGTERM)
    assert run.end() == [-signal.SIGTERM] * SIZE, run.said()
    assert newest(out) > first

    # All processes go back to the same one.
    damaged = out / "state" / f"{newest(out):012d}.safetensors"
    os.truncate(damaged, damaged.stat().st_size // 2)
    run = Run(SIZE, words, out)
    run.wait_for(lambda: "damaged" in run.said())
    run.trains()
    assert run.said().count("damaged") == 1
    run.signal(signal.SIGKILL, 1)  # The others do not wait until their patience is at its end.
    assert run.end() == [2, -signal.SIGKILL, 2, 2], run.said()
    assert "another process of the run is gone" in run.said()

    run = Run(SIZE, words, out)
    assert run.end() == [0] * SIZE, run.said()
    assert outcome(out) == outcome(whole)


@pytest.fixture
def small(teacher_run: Path, digits_zip: Path, tmp_path: Path) -> list[object]:
    """A distillation of a second or two.

    Adam's eps is large: else a gradient that is rounding alone moves a weight as far as any other.
    """
    rates = {"lr_generator": 0.01, "lr_fake": 0.01, "eps": 0.01}
    chosen = tiny_recipe(batch=8, micro_batch=2, kimg=0.24, **rates)
    (tmp_path / "sid.yaml").write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    inputs = ["--data", digits_zip, "--teacher", teacher_run, "--recipe", tmp_path / "sid.yaml"]
    return ["distill", *inputs, "--device", "cpu"]


def test_another_number_of_processes_is_told_and_changes_rounding_alone(
    small: list[object], tmp_path: Path
) -> None:
    undisturbed = Run(SIZE, small, tmp_path / "undisturbed")
    assert undisturbed.end() == [0] * SIZE, undisturbed.said()
    out = tmp_path / "run"
    run = Run(SIZE, small, out)
    run.trains()
    run.signal(signal.SIGTERM)
    assert run.end() == [-signal.SIGTERM] * SIZE, run.said()
    run = Run(2, small, out)
    assert run.end() == [0, 0], run.said()
    assert "began with processes 4 and goes on with 2: equal up to rounding only" in run.said()
    begun, other, same = (
        weights(next((folder / "snapshots").glob(f"*{images}.safetensors")))
        for folder, images in ((out, 0), (out, 240), (undisturbed.out, 240))
    )
    assert (other - same).abs().max() < (same - begun).abs().max() / 1000


def weights(snapshot: Path) -> torch.Tensor:
    """All parameters of a generator in one vector."""
    return torch.cat([value.flatten() for value in load_tensors(snapshot)[0].values()])


def test_two_starts_of_one_run_take_turns(small: list[object], tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = Run(2, small, out)
    first.trains()
    second = Run(2, small, out)
    second.wait_for(lambda: "which trains this run" in second.said())
    first.signal(signal.SIGKILL)
    assert first.end() == [-signal.SIGKILL] * 2
    assert second.end() == [0, 0], second.said()
    assert second.said().count("which trains this run") == 1
    assert (out / "done.json").exists()


def test_one_that_never_comes(small: list[object], tmp_path: Path) -> None:
    run = Run(3, small, tmp_path / "run", absent=[1], patience=3)
    assert run.end() == [2, None, 2]
    assert "the processes of this run did not meet at localhost:" in run.said()
    assert not (tmp_path / "run").exists()


def test_a_port_that_is_taken(small: list[object], tmp_path: Path) -> None:
    """The main process says so; the launcher ends those that wait for its answer."""
    port = port_of("taken", 0)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("", port))
        other.listen()
        run = Run(2, small, tmp_path / "run", absent=[1], job="taken")
        assert run.end() == [2, None]
    assert f"did not meet at localhost:{port}; see the others' messages, then" in run.said()
    assert "address already in use" in run.said()
