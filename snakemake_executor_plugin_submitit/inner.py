"""The Snakemake that runs an ordinary rule on its node: what it is called with.

Names of files and values of wildcards go through a command line, which Snakemake writes and reads
back. What is not read back as it was meant is refused before anything is submitted: another job
would run, over the finished output of a third.
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


# Snakemake quotes words as Python does, and does not quote what begins with a quote; a shell reads
# both otherwise. This mends also what the Snakemake on the node starts: each `run:` of a group.
vars(utils).update(repr=_quoted, is_quoted=lambda value: False)


def check_targets(job: Any) -> None:
    """See that the wildcards of a job, or of each job of a group, come back as they are.

    Raises:
        WorkflowError: some do not.
    """
    from snakemake.target_jobs import parse_target_jobs_cli_args  # Tasks need no Snakemake.

    for spec in job.get_target_spec():
        try:
            back = parse_target_jobs_cli_args(utils.encode_target_jobs_cli_args([spec]))
        except ValueError:
            back = None
        if back != [spec]:
            values = ", ".join(f"{name}={value}" for name, value in spec.wildcards_dict.items())
            raise WorkflowError(
                f"rule {spec.rulename}: wildcard {values}: the Snakemake on the node would read"
                " another value (it drops quotes at the ends and parts words at commas); name the"
                " file otherwise, or make it in a local rule"
            )


def check_words(words: Sequence[str], job: Any, awaited: Collection[str]) -> None:
    """See that a whole command line comes back as it was meant.

    Args:
        words: after `snakemake`.
        job: that it is for.
        awaited: the files that it must wait for.

    Raises:
        WorkflowError: it does not.
    """
    temporary = {str(path) for path in job.dag.get_unneeded_temp_files(job)}
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            read = _parser().parse_args(list(words))
            same = (
                read.target_jobs == job.get_target_spec()
                and set(read.unneeded_temp_files) == temporary
                and set(read.wait_for_files or ()) == set(awaited)
                and not read.targets
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
