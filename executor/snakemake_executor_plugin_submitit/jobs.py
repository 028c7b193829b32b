"""Reads a Snakemake job: its key, fingerprint, callable, and description in plain values."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.callable_rules import check_job
from snakemake_executor_plugin_submitit.registry import digest
from snakemake_executor_plugin_submitit.tasks import Job


def members(job: Any) -> list[Any]:
    """The jobs of a group in a fixed order, or the job alone."""
    if not job.is_group():
        return [job]
    return sorted(job.jobs, key=lambda one: (one.rule.name, sorted(one.wildcards_dict.items())))


def key(job: Any) -> str:
    """The digest of a job's outputs, or of its rule and wildcards if it has none."""
    outputs = sorted(map(str, job.output))
    return digest(outputs or [(one.rule.name, dict(one.wildcards_dict)) for one in members(job)])


def fingerprint(job: Any) -> str:
    """The digest of a job's code, paths and parameters; if it changes, the job must run again.

    Threads and resources are left out, because a retry may change them.
    """
    return digest(
        [
            [
                one.rule.name,
                dict(one.wildcards_dict),
                one.rule.shellcmd or one.rule.run_func_src,
                str(one.rule.script or one.rule.wrapper or one.rule.notebook),
                [str(path) for path in one.input],
                [str(path) for path in one.output],
                [str(path) for path in one.log],
                [(name, plain(value)) for name, value in one.params._allitems()],
            ]
            for one in members(job)
        ]
    )


def callable_name(job: Any) -> str | None:
    """`module:Class` of a rule with a callable, else None.

    Raises:
        WorkflowError: the rule uses a directive that callables do not support.
    """
    names = [one.params.get("submitit") for one in members(job)]
    if job.is_group() and any(names):
        raise WorkflowError(f"group {job.name}: a rule with params.submitit cannot be in a group")
    if names[0]:
        check_job(job)
    return str(names[0]) if names[0] else None


def describe(job: Any) -> Job:
    """Describe a job for its callable.

    Raises:
        WorkflowError: only some of its inputs have names, or a parameter has none.
    """
    given = list(job.input._allitems())
    named = {name for name, _ in given if name is not None}
    if named and None in {name for name, _ in given}:
        raise WorkflowError(f"rule {job.rule.name}: name all of its inputs or none")
    # Expanded anew: a retry may change resources, and parameters that depend on them.
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
        # Without those that are known only on the node, as the system's tmpdir.
        resources={
            str(name): plain(value)
            for name, value in [*job.resources.items(), *_tmpdir(job)]
            if isinstance(value, (int, str)) and value != "<TBD>"
        },
        workdir=os.getcwd(),
    )


def _tmpdir(job: Any) -> list[tuple[str, str]]:
    """The resource tmpdir, if the rule or the user sets it; Snakemake expands it on the node."""
    chosen = job.rule.resources.get("tmpdir")
    if not chosen.name or chosen.raw == "system_tmpdir":
        return []
    values = job.rule.expand_resources(job.wildcards_dict, job.input, job.attempt)
    return [("tmpdir", str(values.get("tmpdir")))]


def older_outputs(job: Any) -> list[str]:
    """Outputs and logs of an earlier run, which are removed when the callable starts."""
    return [
        str(path)
        for path in [*job.output, *job.log]
        if os.path.lexists(path)
        and str(path) != os.devnull
        # Like Snakemake, leave a folder where a file is expected.
        and (path.is_directory or os.path.islink(path) or not os.path.isdir(path))
    ]


def plain(value: Any) -> Any:
    """Convert Snakemake's subclasses of str and list to str and list, also in nested values."""
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def changed_since(paths: Iterable[Any], moment: float) -> bool:
    """Whether a file was written after a moment; folders are not looked at."""
    files = [Path(str(path)) for path in paths]
    return any(file.is_file() and file.stat().st_mtime > moment for file in files)


def outputs_up_to_date(job: Any) -> bool:
    """Whether all outputs exist and none is older than an input."""
    outputs = [Path(str(path)) for path in job.output]
    if not all(path.exists() for path in outputs):
        return False
    oldest = min((path.stat().st_mtime for path in outputs), default=float("inf"))
    return not changed_since(job.input, oldest)
