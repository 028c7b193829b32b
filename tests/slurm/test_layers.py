"""Names, words and settings that pass through Snakemake, submitit, sbatch and srun."""

from pathlib import Path

from executor_helpers import files, snakemake, unsent
from tests.slurm.lab import Lab

SNAKEFILE = """
rule all:
    input:
        "named/it's $HOME", "named/a\\\\b", "out/run'.txt", "tasks", "gres", "nvidia"


rule named:
    output:
        "named/{name}",
    group:
        "group"
    resources:
        slurm_partition="main",
    shell:
        "printf %s {wildcards.name:q} > {output:q}"


rule run:
    output:
        "out/{name}.txt",
    shell:
        "echo made > {output:q}"


rule tasks:
    output:
        "tasks",
    params:
        submitit="calls:Tasks",
    resources:
        nodes=2,
        tasks_per_node=2,
    shell:
        "false"


rule gres:
    output:
        "gres",
    resources:
        gres="gpu:1",
    shell:
        "echo $CUDA_VISIBLE_DEVICES > {output}"


rule nvidia:
    output:
        "nvidia",
    resources:
        nvidia_gpu=2,
    shell:
        "echo $CUDA_VISIBLE_DEVICES > {output}"
"""
CALLS = """
from pathlib import Path

import submitit


class Tasks:
    def __init__(self, job):
        self.job = job

    def __call__(self):
        environment = submitit.JobEnvironment()
        if environment.global_rank == 0:
            told = environment.num_nodes, environment.num_tasks, Path("tasks").exists()
            Path(self.job.output[0]).write_text(repr(told))
"""
WORDS = ["--keep-going", "--retries", "1", "--cores", "4", "--group-components", "group=2"]
WORDS += ["--seconds-between-status-checks", "2", "--default-resources", "mem_mb=200"]


def test_odd_names_and_words_of_others(lab: Lab, tmp_path: Path) -> None:
    place = tmp_path / "imagenet-10%subset" / 'it\'s "#1" $HOME'
    (place / "out").mkdir(parents=True)
    (place / "Snakefile").write_text(SNAKEFILE)
    (place / "calls.py").write_text(CALLS)
    (place / "out" / "run.txt").write_text("finished")
    (place / "tasks").write_text("older")
    lab.run("sacctmgr", "-i", "add", "account", "ours")
    lab.run("sacctmgr", "-i", "add", "user", "root", "account=ours")
    own = {"SBATCH_PARTITION": "high", "SBATCH_ACCOUNT": "ours", "SLURM_NTASKS": "3"}
    words = [*WORDS, "--forcerun", "tasks"]
    status, said = snakemake(place, *words, cluster="slurm", **{**lab.environment, **own})
    assert status == 1
    assert "rule run: wildcard name=run': the Snakemake on the node would read another" in said
    assert said.count("Not submitted") == 2, said
    found = files(place)
    assert {name: found.get(name) for name in found if "/" in name} == {
        "named/it's $HOME": b"it's $HOME",
        "named/a\\b": b"a\\b",
        "out/run.txt": b"finished",
    }, said
    assert found["tasks"] == b"(2, 4, False)"
    assert found["gres"] in {b"0\n", b"1\n"}
    assert found["nvidia"] == b"0,1\n"
    names = [path.name for path in place.glob(".snakemake/submitit/*-*")]
    words = ["-X", "-n", "-P", "-o", "JobName,Partition,Account", f"--name={','.join(names)}"]
    jobs = [row.split("|") for row in lab.run("sacct", *words).splitlines()]
    assert {(name.partition("-")[0], *other) for name, *other in jobs} == {
        ("gres", "high", "ours"),
        ("group_named", "main", "ours"),
        ("nvidia", "high", "ours"),
        ("tasks", "high", "ours"),
    }
    assert not list(tmp_path.glob("*[!%]subset*"))


def test_folders_that_a_layer_reads_otherwise(lab: Lab, tmp_path: Path) -> None:
    words = [*WORDS, "--force"]
    for name in ("50%juice", "back\\slash"):
        place = tmp_path / name
        place.mkdir()
        (place / "Snakefile").write_text('rule all:\n  output: "out"\n  shell: "echo made > out"\n')
        (place / "out").write_text("finished")
        before = files(tmp_path)
        status, said = snakemake(place, *words, cluster="slurm", **lab.environment)
        assert status == 1
        assert "give another by --submitit-folder" in said
        assert unsent(tmp_path)
        assert files(tmp_path) == before
    words += ["--submitit-folder", str(tmp_path / "else where")]
    status, said = snakemake(place, *words, cluster="slurm", **lab.environment)
    assert status == 0, said
    assert (place / "out").read_text() == "made\n"
    assert list(tmp_path.glob("else where/all-*/*_0_log.out"))
