"""Directives of a rule with a callable are supported, or refused before the first job."""

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import DeploymentMethod, SharedFSUsage

from executor_helpers import files, snakemake, unsent
from snakemake_executor_plugin_submitit.callable_rules import check_job

# Directives that callables do not support.
UNSUPPORTED = {
    "benchmark:": 'benchmark: "train.tsv"',
    "shadow:": 'shadow: "minimal"',
    "an output with update()": 'output: update("{name}")',
    "envmodules: (in force by --software-deployment-method)": 'envmodules: "cuda"',
    "cache: (in force by --cache)": "cache: True",
}
MAKES_IT_LOCAL = {"handover:": "handover: True", "localrule:": "localrule: True"}
# Directives that callables support, or that are not in force.
SUPPORTED = """
import os

shell.executable("bash")


rule train:
    input:
        text=ancient("text"),
    output:
        whole=protected("train.txt"),
        folder=directory("model"),
        mark=touch("mark"),
    params:
        submitit="calls:Train",
        memory=lambda wildcards, resources: resources.mem_mb,
    log:
        "logs/train.log",
    conda:
        "environment.yml"
    container:
        "docker://image"
    envmodules:
        "cuda",
    cache: True
    retries: 1
    priority: 3
    message:
        "training"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 100,
        tmpdir="scratch",
    shell:
        "false"


rule text:
    output:
        temp("text"),
    shell:
        "echo words > text"
"""
CALLS = """
import os
import tempfile
from pathlib import Path


class Train:
    def __init__(self, job):
        self.job = job

    def __call__(self):
        assert not any(map(os.path.exists, [*self.job.output, *self.job.log])), "older outputs"
        tried = Path("tried").exists()
        Path("tried").touch()
        Path(self.job.output[0]).write_text("half")
        Path(self.job.output[1]).mkdir()
        Path(self.job.log[0]).write_text(str(self.job.resources["mem_mb"]))
        assert tried, "the first time fails"
        memory = self.job.params["memory"], self.job.resources["mem_mb"], self.job.threads
        Path(self.job.output[0]).write_text(repr((memory, tempfile.gettempdir())))
"""


def rule(name: str, body: str, function: str = "") -> str:
    output = "" if "output" in body else f'output: "{name}"'
    params = f'params: submitit={function}"calls:Train"'
    lines = [f"rule {name}:", 'input: "first"', output, body.format(name=name), params]
    return "\n  ".join([*lines, 'shell: "false"']) + "\n"


def workflow(folder: Path, *rules: str) -> None:
    (folder / "calls.py").write_text(CALLS)
    (folder / "Snakefile").write_text("\n".join(rules))


FIRST = 'rule first:\n  output: "first"\n  shell: "touch first"\n'


@pytest.mark.parametrize("directive", ["benchmark:", *MAKES_IT_LOCAL])
def test_unsupported_directive_stops_before_the_first_job(tmp_path: Path, directive: str) -> None:
    body = {**UNSUPPORTED, **MAKES_IT_LOCAL}[directive]
    workflow(tmp_path, rule("train", body), FIRST)
    (tmp_path / "train").write_text("finished")
    before = files(tmp_path)
    status, said = snakemake(tmp_path, "--forceall")
    assert status == 1
    assert f"rule train: {directive}" in said
    assert "params.submitit do not go together" in said
    assert "Traceback" not in said
    assert unsent(tmp_path)
    assert files(tmp_path) == before


def test_a_function_that_names_the_callable_is_asked_for_each_job(tmp_path: Path) -> None:
    """With the directives that are in force only by an option."""
    names = {f"train{n}": directive for n, directive in enumerate(UNSUPPORTED)}
    rules = [rule(name, UNSUPPORTED[names[name]], "lambda wildcards: ") for name in names]
    workflow(tmp_path, *rules, rule("grouped", 'group: "group"', "lambda wildcards: "), FIRST)
    for name in (*names, "grouped", "first"):
        (tmp_path / name).write_text("finished")
    before = files(tmp_path)
    words = ["--force", "--keep-going", "--cache", "--sdm", "env-modules", "--quiet", "rules"]
    status, said = snakemake(
        tmp_path, *names, "grouped", *words, SNAKEMAKE_OUTPUT_CACHE=str(tmp_path)
    )
    assert status == 1
    for name, directive in names.items():
        assert f"Error in rule {name}: Not submitted: rule {name}: {directive} and params" in said
    assert "a rule with params.submitit cannot be in a group" in said
    assert unsent(tmp_path)
    assert files(tmp_path) == before


def job(**asked: Any) -> Any:
    """A job of a rule with a callable where Snakemake would need conda and a container runtime."""
    rule: dict[str, Any] = dict.fromkeys(("benchmark", "shadow_depth", "env_modules", "cache"))
    rule |= {"name": "train", "conda_env": "environment.yml", "container_img": "docker://image"}
    workflow = SimpleNamespace(
        deployment_settings=SimpleNamespace(deployment_method=asked.get("methods", set())),
        workflow_settings=SimpleNamespace(cache=None),
        storage_settings=SimpleNamespace(shared_fs_usage=asked.get("shared", SharedFSUsage.all())),
        is_local=lambda rule: False,
    )
    return SimpleNamespace(
        rule=SimpleNamespace(**rule),
        dag=SimpleNamespace(workflow=workflow),
        output=[],
        input=[],
        group=None,
        is_pipe_or_service_input=lambda path: False,
    )


def test_environments_are_refused_where_they_are_in_force() -> None:
    check_job(job())
    for method, name in (
        (DeploymentMethod.CONDA, "conda"),
        (DeploymentMethod.APPTAINER, "container"),
    ):
        with pytest.raises(WorkflowError, match=f"rule train: {name}: "):
            check_job(job(methods={method}))
    with pytest.raises(WorkflowError, match="rule train: --shared-fs-usage without"):
        check_job(job(shared={SharedFSUsage.SOURCES}))


def test_directives_that_callables_support(tmp_path: Path) -> None:
    workflow(tmp_path, SUPPORTED)
    (tmp_path / "train.txt").write_text("older")
    (tmp_path / "environment.yml").write_text("channels: []\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/train.log").write_text("older")
    (tmp_path / "model/deep").mkdir(parents=True)
    status, said = snakemake(tmp_path, "--force")
    assert status == 0, said
    assert "the first time fails" in said
    told = repr(((200, 200, 2), "scratch"))
    assert (tmp_path / "train.txt").read_text() == told
    assert not (tmp_path / "train.txt").stat().st_mode & stat.S_IWUSR
    assert not (tmp_path / "model/deep").exists()
    assert (tmp_path / "logs/train.log").read_text() == "200"
    assert (tmp_path / "mark").exists()
    assert not (tmp_path / "text").exists()
