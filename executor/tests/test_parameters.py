"""What is sent to sbatch for resources and settings."""

from pathlib import Path

import pytest
from snakemake_interface_common.exceptions import WorkflowError

from executor_helpers import FOLDER, script
from snakemake_executor_plugin_submitit import ExecutorSettings
from snakemake_executor_plugin_submitit.parameters import (
    Allocation,
    allocation,
    check_folder,
    submitit_parameters,
)
from snakemake_executor_plugin_submitit.settings import sbatch_options


def test_32_gpus_on_4_nodes() -> None:
    resources = {"nodes": 4, "gpu": 32, "cpus_per_gpu": 10, "runtime": 2880, "mem_mb": 480000}
    resources |= {"slurm_partition": "big", "slurm_extra": "--exclusive --mail-type=END"}
    form = allocation(resources, threads=1, parallel=True)
    assert form == Allocation(4, 8, 8, 10)
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


def test_local_machine_stands_for_all_nodes() -> None:
    settings = ExecutorSettings(cluster="local")
    given = submitit_parameters(settings, {}, Allocation(2, 2, 1, 1), "name", FOLDER)
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
        submitit_parameters(ExecutorSettings(), {"runtime": 0}, Allocation(1, 1, 0, 1), "", FOLDER)


def test_logs_in_a_folder_with_a_percent_sign() -> None:
    """sbatch and srun replace %s in the names of logs, but for %%; submitit's own %j must stay."""
    folder = Path("/data/imagenet-10%subset/train-0123456789ab")
    given = submitit_parameters(ExecutorSettings(), {}, Allocation(1, 1, 0, 1), "name", folder)
    place = str(folder).replace("%", "%%")
    assert given["slurm_additional_parameters"] == {"output": f"{place}/%j_0_log.out"}
    assert given["slurm_srun_args"][-2:] == ["--output", f"{place}/%j_%t_log.out"]


@pytest.mark.parametrize(
    ("name", "cluster"),
    [("50%juice", "slurm"), ("back\\slash", "slurm"), ("two\nlines", "slurm"), ("%A", "local")],
)
def test_folders_that_a_layer_would_read(name: str, cluster: str) -> None:
    with pytest.raises(WorkflowError, match="give another by --submitit-folder"):
        check_folder(Path("/data") / name, cluster)


def test_a_value_with_a_line_break_is_no_line_of_a_script() -> None:
    for wrong in ({"constraint": "a\nb"}, {"slurm_extra": "comment='a\nb'"}):
        with pytest.raises(WorkflowError, match="has a line break"):
            submitit_parameters(ExecutorSettings(), wrong, Allocation(1, 1, 0, 1), "name", FOLDER)
