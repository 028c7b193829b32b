"""Splitting a batch over micro-batches and processes, and where a launcher put this process."""

import socket

import pytest
import torch

from sid.errors import UserError
from sid.runs.world import PORTS, World, join, own_gpu, placed, port_of

SLURM = {
    "SUBMITIT_EXECUTOR": "slurm",
    "SLURM_JOB_ID": "4711",
    "SLURM_NTASKS": "4",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_NODEID": "1",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_JOB_NODELIST": "gpu[07-08]",
}


def test_all_processes_together_have_each_micro_batch_once() -> None:
    parts = [World(rank, 4).share(256, 512, 16) for rank in range(4)]
    assert [part for rank in parts for part in rank] == World().share(256, 512, 16)
    assert parts[1][0] == (256 + 64, 256 + 80)
    assert World().share(0, 8, 8) == [(0, 8)]


@pytest.mark.parametrize(("batch", "micro", "size"), [(2048, 64, 3), (10, 4, 1), (8, 8, 2)])
def test_a_batch_that_does_not_split_is_refused(batch: int, micro: int, size: int) -> None:
    with pytest.raises(UserError, match=f"batch: {batch} images do not split"):
        World(0, size).share(0, batch, micro)


def test_one_alone_agrees_with_itself() -> None:
    gradient = torch.ones(3)
    World().sum([gradient])
    assert torch.equal(gradient, torch.ones(3))
    assert World().maximum(7) == 7
    assert placed() is None
    assert join(torch.device("cpu")) == (World(), torch.device("cpu"))


def test_slurm_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in SLURM.items():
        monkeypatch.setenv(key, value)
    place = placed()
    assert place
    assert (place.rank, place.size, place.local) == (3, 4, 1)
    assert place.address == ("gpu07", port_of("4711", 0))
    # Requeued, on other machines: neither host nor port of the start before, whatever it left.
    monkeypatch.setenv("MASTER_ADDR", "gpu07")
    monkeypatch.setenv("MASTER_PORT", str(place.address[1]))
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    monkeypatch.setenv("SLURM_JOB_NODELIST", "gpu12,gpu20")
    again = placed()
    assert again
    assert again.address == ("gpu12", port_of("4711", 1))
    assert again.address[1] != place.address[1]


def test_one_task_of_a_job_is_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in {**SLURM, "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}.items():
        monkeypatch.setenv(key, value)
    assert join(torch.device("cpu"))[0] == World()
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("SLURM_GPUS_ON_NODE", "1")
    join(torch.device("cpu"))
    assert "warning: the job has GPUs, and trains on the CPU" in capsys.readouterr().err


def test_torchrun_goes_before_the_job_that_it_runs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    torchrun = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}
    for key, value in {**SLURM, **torchrun}.items():
        monkeypatch.setenv(key, value)
    assert placed() == (1, 2, 1, None)


def test_ports_spread_and_are_below_those_of_clients() -> None:
    ports = {port_of(str(job), 0) for job in range(1000)}
    assert len(ports) > 900
    assert min(ports) >= 1024
    assert max(ports) < 32_768
    with socket.create_server(("", 0)) as server:  # One that the system chose for itself.
        assert server.getsockname()[1] not in PORTS


@pytest.mark.parametrize(("seen", "local", "index"), [(4, 3, 3), (1, 0, 0)])
def test_own_gpu(seen: int, local: int, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: seen)
    assert own_gpu(local) == torch.device("cuda", index)


def test_slurm_may_show_each_task_its_own_gpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="1 GPUs for more processes; start fewer"):
        own_gpu(1)
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert own_gpu(1) == torch.device("cuda", 0)
