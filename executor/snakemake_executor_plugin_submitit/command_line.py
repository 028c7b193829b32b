"""Checks the command line of the Snakemake that runs an ordinary rule on its node.

Names of files and values of wildcards pass through a command line that Snakemake writes here and
parses there. A name that would be parsed as another one is refused before the submission:
otherwise the node would run another job, over the finished output of a third.
"""

import builtins
import contextlib
import functools
import io
import shlex
from argparse import ArgumentParser
from collections.abc import Collection, Sequence
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins import utils


def _quoted(value: Any) -> str:
    return shlex.quote(value) if isinstance(value, str) else builtins.repr(value)


# Snakemake quotes words as Python does, and not those that begin with a quote; a shell reads both
# otherwise. On the node this also holds for the Snakemakes that run each `run:` of a group.
vars(utils).update(repr=_quoted, is_quoted=lambda value: False)


def check_wildcards(job: Any) -> None:
    """Check that Snakemake's parser returns the wildcards of a job, or of each job of a group.

    Raises:
        WorkflowError: it returns other values.
    """
    from snakemake.target_jobs import parse_target_jobs_cli_args  # Tasks need no Snakemake.

    for spec in job.get_target_spec():
        try:
            parsed = parse_target_jobs_cli_args(utils.encode_target_jobs_cli_args([spec]))
        except ValueError:
            parsed = None
        if parsed != [spec]:
            values = ", ".join(f"{name}={value}" for name, value in spec.wildcards_dict.items())
            raise WorkflowError(
                f"rule {spec.rulename}: wildcard {values}: the Snakemake on the node would read"
                " another value (it drops quotes at the ends and parts words at commas); name the"
                " file otherwise, or make it in a local rule"
            )


def check_arguments(arguments: Sequence[str], job: Any, awaited: Collection[str]) -> None:
    """Check that Snakemake's parser returns the files and targets of a job.

    Args:
        arguments: what follows `snakemake` on the command line.
        job: that the command line runs.
        awaited: files that must be there before the job starts.

    Raises:
        WorkflowError: it returns others.
    """
    temporary = {str(path) for path in job.dag.get_unneeded_temp_files(job)}
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            parsed = _parser().parse_args(list(arguments))
            same = (
                parsed.target_jobs == job.get_target_spec()
                and set(parsed.unneeded_temp_files) == temporary
                and set(parsed.wait_for_files or ()) == set(awaited)
                and not parsed.targets
            )
        except (SystemExit, ValueError):
            same = False
    if not same:
        paths = sorted({*awaited, *temporary})
        odd = next((path for path in paths if path.startswith("-") or "\n" in path), "")
        raise WorkflowError(
            f"rule {job.name}: the Snakemake on the node would read other files {odd!r}; no name"
            " may begin with a dash or have a line break"
        )


@functools.cache
def _parser() -> ArgumentParser:
    from snakemake import cli

    parser: ArgumentParser = cli.get_argument_parser()
    return parser
