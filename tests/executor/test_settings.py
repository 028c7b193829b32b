"""What is sent to sbatch for resources and settings."""

from pathlib import Path
from typing import Any

import pytest
from snakemake_interface_common.exceptions import WorkflowError
from submitit.slurm.slurm import SlurmExecutor, _make_sbatch_string

from snakemake_executor_plugin_submitit import ExecutorSettings
from snakemake_executor_plugin_submitit.request import Shape, check_folder, parameters, shape
from snakemake_executor_plugin_submitit.settings import sbatch_options

FOLDER = Path("/shared/a folder/train-0123456789ab")


def script(settings: ExecutorSettings, resources: dict[str, Any], form: Shape) -> list[str]:
    """The lines of the script that submitit makes of our parameters, without a Slurm."""
    given = parameters(settings, resources, form, "train-0123456789ab", FOLDER)
    names = SlurmExecutor._equivalence_dict()
    own = {
        names.get(name, name).removeprefix("slurm_"): value  # type: ignore[call-overload]
        for name, value in given.items()
        if value is not None
    }
    return _make_sbatch_string("python job.py", FOLDER, **own).splitlines()


def test_32_gpus_on_4_nodes() -> None:
    resources = {"nodes": 4, "gpu": 32, "cpus_per_gpu": 10, "runtime": 2880, "mem_mb": 480000}
    resources |= {"slurm_partition": "big", "slurm_extra": "--exclusive --mail-type=END"}
    form = shape(resources, threads=1, parallel=True)
    assert form == Shape(nodes=4, tasks=8, gpus=8, cpus=10)
    settings = ExecutorSettings(partition="small", account="me", qos="long", constraint="a100")
    lines = script(settings, resources, form)
    assert {line for line in lines if line.startswith("#SBATCH")} == {
        "#SBATCH --account=me",
        "#SBATCH --constraint=a100",
        "#SBATCH --cpus-per-task=10",
        "#SBATCH --exclusive",
        "#SBATCH --gpus-per-node=8",
        "#SBATCH --job-name=train-0123456789ab",
        "#SBATCH --mail-type=END",
        "#SBATCH --mem=480000MB",
        "#SBATCH --nodes=4",
        "#SBATCH --ntasks-per-node=8",
        "#SBATCH --open-mode=append",
        f"#SBATCH --output='{FOLDER}/%j_0_log.out'",
        "#SBATCH --partition=big",
        "#SBATCH --qos=long",
        "#SBATCH --signal=USR2@90",
        "#SBATCH --time=2880",
        "#SBATCH --wckey=submitit",
    }
    (run,) = (line for line in lines if line.startswith("srun"))
    assert "--kill-on-bad-exit=1 --cpus-per-task=10 --export=ALL --nodes=4 --ntasks=32 " in run


def test_8_gpus_on_1_node() -> None:
    resources = {"gpu": 8, "cpus_per_gpu": 10, "runtime": 1440, "mem_mb": 480000}
    form = shape(resources, threads=1, parallel=True)
    assert form == Shape(nodes=1, tasks=8, gpus=8, cpus=10)
    lines = script(ExecutorSettings(partition="gpu"), resources, form)
    assert {line for line in lines if line.startswith("#SBATCH")} == {
        "#SBATCH --cpus-per-task=10",
        "#SBATCH --gpus-per-node=8",
        "#SBATCH --job-name=train-0123456789ab",
        "#SBATCH --mem=480000MB",
        "#SBATCH --nodes=1",
        "#SBATCH --ntasks-per-node=8",
        "#SBATCH --open-mode=append",
        f"#SBATCH --output='{FOLDER}/%j_0_log.out'",
        "#SBATCH --partition=gpu",
        "#SBATCH --signal=USR2@90",
        "#SBATCH --time=1440",
        "#SBATCH --wckey=submitit",
    }
    (run,) = (line for line in lines if line.startswith("srun"))
    assert "--kill-on-bad-exit=1 --cpus-per-task=10" in run


@pytest.mark.parametrize(
    ("resources", "parallel", "expected"),
    [
        ({}, False, Shape(1, 1, 0, 3)),
        ({"gpu": 2}, False, Shape(1, 1, 2, 3)),
        ({"gpu": 2}, True, Shape(1, 2, 2, 3)),
        ({"nodes": 2}, True, Shape(2, 1, 0, 3)),
        ({"nodes": 2, "tasks": 4, "cpus_per_task": 5}, True, Shape(2, 2, 0, 5)),
        ({"gpu": 4, "tasks": 1, "cpus_per_gpu": 2}, True, Shape(1, 1, 4, 8)),
    ],
)
def test_shapes(resources: dict[str, Any], parallel: bool, expected: Shape) -> None:
    assert shape(resources, threads=3, parallel=parallel) == expected


@pytest.mark.parametrize(
    ("resources", "parallel", "why"),
    [
        ({"nodes": 2}, False, "needs a callable"),
        ({"nodes": 2, "gpu": 3}, True, "gpu=3 cannot be spread"),
        ({"nodes": 2, "tasks": 3}, True, "tasks=3 cannot be spread"),
        ({"gpu": "many"}, True, "gpu=many: must be a whole number"),
        ({"tasks": 0}, True, "at least 1"),
        ({"gpu": -1}, True, "must be at least 0"),
    ],
)
def test_numbers_that_do_not_go_together(
    resources: dict[str, Any], parallel: bool, why: str
) -> None:
    with pytest.raises(WorkflowError, match=why):
        shape(resources, threads=1, parallel=parallel)


def test_local_machine_stands_for_all_nodes() -> None:
    given = parameters(ExecutorSettings(cluster="local"), {}, Shape(2, 2, 1, 1), "name", FOLDER)
    assert (given["nodes"], given["tasks_per_node"], given["gpus_per_node"]) == (1, 4, 2)


def test_sbatch_options() -> None:
    assert sbatch_options(None) == {}
    given = sbatch_options("exclusive --mail-type=END comment='two words'")
    assert given == {"exclusive": True, "mail-type": "END", "comment": "two words"}
    assert sbatch_options("'--qos=long --nice=5'") == {"qos": "long", "nice": "5"}
    wrong_ones = ["-p main", "--output=x", "--job-name=y", "comment='half", 5]
    for wrong in [*wrong_ones, "ntasks=4", "wait", "clusters=other", "nodes=2"]:
        with pytest.raises(WorkflowError):
            sbatch_options(wrong)


def test_no_time_is_not_unlimited_time() -> None:
    with pytest.raises(WorkflowError, match="runtime=0: must be at least 1"):
        parameters(ExecutorSettings(), {"runtime": 0}, Shape(1, 1, 0, 1), "name", FOLDER)


def test_logs_in_a_folder_with_a_percent_sign() -> None:
    """sbatch and srun replace %s in the names of logs, but for %%; submitit's own %j must stay."""
    folder = Path("/data/imagenet-10%subset/train-0123456789ab")
    given = parameters(ExecutorSettings(), {}, Shape(1, 1, 0, 1), "name", folder)
    place = str(folder).replace("%", "%%")
    assert given["slurm_additional_parameters"] == {"output": f"{place}/%j_0_log.out"}
    assert given["slurm_srun_args"][-2:] == ["--output", f"{place}/%j_%t_log.out"]


@pytest.mark.parametrize("name", ["50%juice", "%A", "back\\slash", "two\nlines"])
def test_folders_that_cannot_be_told_to_slurm(name: str) -> None:
    with pytest.raises(WorkflowError, match="give another by --submitit-folder"):
        check_folder(Path("/data") / name, "slurm")


def test_a_value_with_a_line_break_is_no_line_of_a_script() -> None:
    for wrong in ({"constraint": "a\nb"}, {"slurm_extra": "comment='a\nb'"}):
        with pytest.raises(WorkflowError, match="has a line break"):
            parameters(ExecutorSettings(), wrong, Shape(1, 1, 0, 1), "name", FOLDER)
