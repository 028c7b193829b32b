"""From Snakemake's job to the plain values that name, compare and run it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit import honoured
from snakemake_executor_plugin_submitit.registry import digest
from snakemake_executor_plugin_submitit.tasks import Job


def key(job: Any) -> str:
    """Names what a job makes: its outputs, or itself where it has none."""
    outputs = sorted(map(str, job.output))
    return digest(outputs or [(part.rule.name, dict(part.wildcards_dict)) for part in parts(job)])


def code(job: Any) -> str:
    """Stands for what a job does: another value means that it must be done again.

    Threads and resources are left out: a retry may change them.
    """
    return digest(
        [
            [
                part.rule.name,
                dict(part.wildcards_dict),
                part.rule.shellcmd or part.rule.run_func_src,
                str(part.rule.script or part.rule.wrapper or part.rule.notebook),
                [str(path) for path in part.input],
                [str(path) for path in part.output],
                [str(path) for path in part.log],
                [(name, plain(value)) for name, value in part.params._allitems()],
            ]
            for part in parts(job)
        ]
    )


def parts(job: Any) -> list[Any]:
    """The jobs of a group, in a fixed order, or the job."""
    if not job.is_group():
        return [job]
    return sorted(job.jobs, key=lambda part: (part.rule.name, sorted(part.wildcards_dict.items())))


def target(job: Any) -> str | None:
    """`module:Class` of a rule with a callable.

    Raises:
        WorkflowError: the rule asks for what a callable cannot have.
    """
    targets = [part.params.get("submitit") for part in parts(job)]
    if job.is_group() and any(targets):
        raise WorkflowError(f"group {job.name}: a rule with params.submitit cannot be in a group")
    if targets[0]:
        honoured.check(job)
    return str(targets[0]) if targets[0] else None


def describe(job: Any) -> Job:
    """The job as its callable gets it.

    Raises:
        WorkflowError: some of its inputs have names and others not, or a parameter has none.
    """
    given = list(job.input._allitems())
    named = {name for name, _ in given if name is not None}
    if named and None in {name for name, _ in given}:
        raise WorkflowError(f"rule {job.rule.name}: name all of its inputs or none")
    # A retry may change resources, and parameters with them, which Snakemake keeps.
    fresh, _ = job.rule.expand_params(job.wildcards_dict, job.input, job.output, job)
    params = dict(fresh._allitems())
    if None in params:
        raise WorkflowError(f"rule {job.rule.name}: give each of its params a name")
    inputs = {name: plain(value) for name, value in given} if named else plain(job.input)
    return Job(
        rule=str(job.rule.name),
        wildcards={str(name): str(value) for name, value in job.wildcards_dict.items()},
        input=inputs,
        output=[str(path) for path in job.output],
        params={name: plain(value) for name, value in params.items() if name != "submitit"},
        log=[str(path) for path in job.log],
        threads=int(job.threads),
        # What only the node can tell, as the system's tmpdir, is left out.
        resources={
            str(name): plain(value)
            for name, value in [*job.resources.items(), *_tmpdir(job)]
            if isinstance(value, (int, str)) and value != "<TBD>"
        },
        workdir=os.getcwd(),
    )


def _tmpdir(job: Any) -> list[tuple[str, str]]:
    """A folder for temporary files that the user has chosen; Snakemake leaves it to the node."""
    chosen = job.rule.resources.get("tmpdir")
    if not chosen.name or chosen.raw == "system_tmpdir":
        return []
    values = job.rule.expand_resources(job.wildcards_dict, job.input, job.attempt)
    return [("tmpdir", str(values.get("tmpdir")))]


def replaced(job: Any) -> list[str]:
    """What lies where the outputs and logs of a callable will be; it goes when the job begins."""
    return [
        str(path)
        for path in [*job.output, *job.log]
        if os.path.lexists(path)
        and str(path) != os.devnull
        # A folder where a file shall be is left, as Snakemake does.
        and (path.is_directory or os.path.islink(path) or not os.path.isdir(path))
    ]


def plain(value: Any) -> Any:
    """Snakemake's subclasses of str and list as what they are, in nested values too."""
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def changed_since(paths: Iterable[Any], moment: float) -> bool:
    """Whether a file was written after a moment; folders do not tell."""
    files = [Path(str(path)) for path in paths]
    return any(file.is_file() and file.stat().st_mtime > moment for file in files)


def made_from_its_inputs(job: Any) -> bool:
    """Whether all outputs are there and none is older than an input."""
    outputs = [Path(str(path)) for path in job.output]
    if not all(path.exists() for path in outputs):
        return False
    oldest = min((path.stat().st_mtime for path in outputs), default=float("inf"))
    return not changed_since(job.input, oldest)
