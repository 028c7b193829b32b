"""The profiles: what is shipped is accepted, names real rules, and says what it will cost."""

import re
from pathlib import Path

import pytest

from executor_helpers import script
from sid.config import read_layers
from snakemake_executor_plugin_submitit import ExecutorSettings
from snakemake_executor_plugin_submitit.parameters import allocation
from tests.commands import Done, snakemake

SLURM = ["--profile", "workflow/profiles/slurm"]


def dry(checkout: Path, *words: str) -> Done:
    return snakemake("-n", *words, cwd=checkout)


@pytest.mark.parametrize("name", ["demo", "ablation", "cifar10"])
def test_slurm_profile_is_accepted_for_experiments(checkout: Path, name: str) -> None:
    done = dry(checkout, *SLURM, "--config", f"experiment={name}")
    assert done.returncode == 0, done.stderr
    official = "teacher_from" in read_layers(checkout / "config" / f"{name}.yaml")
    asked = {"gpu=4", "tasks=4", "runtime=1440"} if official else {"gpu=0", "tasks=1"}
    assert all(asked | {"nodes=1"} <= job for job in resources_of(done, "distill"))
    asked = {"gpu=1", "runtime=1440"} if official else {"gpu=0", "runtime=60"}
    for stage in ("run", "teacher", "real"):
        assert all(asked <= job for job in resources_of(done, f"evaluate_{stage}"))
    if official:
        assert len(resources_of(done, "distill")) == (7 if name == "ablation" else 5)
        assert len(resources_of(done, "evaluate_run")) == len(resources_of(done, "distill"))
        assert "rule extractor" not in done.stdout  # The 2015 Inception is fetched, not trained.
    (records,) = resources_of(done, "records")
    assert {"runtime=120", "mem_mb=16000", "nodes=1"} <= records
    assert not any(word.startswith("gpu=") for word in records)


def resources_of(done: Done, rule: str) -> list[set[str]]:
    """What each job of a rule asks for."""
    jobs = done.stdout.split(f"\nrule {rule}:\n")[1:]
    lines = [job.partition("resources: ")[2].splitlines()[0] for job in jobs]
    assert lines
    return [set(line.split(", ")) for line in lines]


def test_the_commented_lines_are_settings_too(checkout: Path) -> None:
    path = checkout / "workflow/profiles/slurm/config.yaml"
    path.write_text(re.sub(r"^#(?=[a-z]|  \w|    \w)", "", path.read_text(), flags=re.M))
    done = dry(checkout, *SLURM)
    assert done.returncode == 0, done.stderr
    for lines in sent(done, "distill"):
        assert {
            "#SBATCH --nodes=2",
            "#SBATCH --ntasks-per-node=4",
            "#SBATCH --gpus-per-node=4",
            "#SBATCH --cpus-per-task=8",
            "#SBATCH --mem=64000MB",
            "#SBATCH --time=720",
        } <= lines
    for lines in sent(done, "evaluate_run"):
        assert {"#SBATCH --ntasks-per-node=4", "#SBATCH --time=720"} <= lines


def sent(done: Done, rule: str) -> list[set[str]]:
    """The lines of the script for each job of a rule, from what the dry run says it asks for."""
    scripts = []
    for words in resources_of(done, rule):
        pairs = (word.partition("=")[::2] for word in words)
        asked = {name: int(value) if value.isdigit() else value for name, value in pairs}
        wanted = allocation(asked, threads=4, parallel=True)
        scripts.append(set(script(ExecutorSettings(), asked, wanted)))
    return scripts


def test_local_profile_is_accepted(checkout: Path) -> None:
    done = dry(checkout, "--profile", "workflow/profiles/local")
    assert done.returncode == 0, done.stderr


def test_dry_run_says_what_is_left_to_pay(checkout: Path) -> None:
    chosen = ["--quiet", "rules", "--config", "experiment=cifar10"]
    cost, disk = announced(dry(checkout, *chosen))
    assert cost.startswith(
        "Distillations to do: 5, about 8,800 A100-hours or 5,300 H100-hours, and"
    )
    assert cost.endswith("more to measure them (estimated; docs/scaling.md)")
    for recipe in ("sid-alpha1", "sid-alpha1.2", "sida-alpha1"):
        done = checkout / f"results/cifar10/distill/cifar10-uncond-{recipe}/seed0/done.json"
        done.parent.mkdir(parents=True)
        done.touch()
    cost, less = announced(dry(checkout, *chosen, "budget=0.5"))
    assert "to do: 2, about 620 A100-hours" in cost
    assert at_most(less) < at_most(disk)


def at_most(line: str) -> float:
    found = re.fullmatch(r"Disk: at most ([\d,.]+) GB, and [\d,.]+ GB when all is done", line)
    assert found, line
    return float(found[1].replace(",", ""))


def announced(done: Done) -> list[str]:
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith(("Distill", "Disk"))]
    assert len(lines) == 2, done.stderr
    assert "Distillations" not in done.stdout
    return lines


def test_nothing_to_announce(checkout: Path) -> None:
    """Of trainings that need no GPU, and where no run is asked for."""
    assert "Distillations" not in dry(checkout).stderr
    chosen = ["--config", "experiment=cifar10"]
    assert "Distillations" not in snakemake("--dag", *chosen, cwd=checkout).stderr
