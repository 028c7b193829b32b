"""A `sid` command as a job of several processes, which submitit starts on a cluster.

A rule says its command once: a shell runs it on this machine, and on a cluster `Command` runs the
same words in each process of the job, so that the two cannot come apart.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from typer.exceptions import TyperException

from sid.cli import build
from sid.errors import UserError, explain


class Job(Protocol):
    """What `Command` looks at in a job of the workflow.

    Attributes:
        params: of the rule; `command` holds what follows `sid`, without --threads.
        log: of the rule.
        threads: CPU threads of each process.
        workdir: what the paths in the command start from.
    """

    @property
    def params(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def log(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def threads(self) -> int: ...  # noqa: D102
    @property
    def workdir(self) -> str: ...  # noqa: D102


class Command:
    """What the `submitit` parameter of a rule names.

    It has no `checkpoint` of its own: submitit's handler is called when the run has written one
    (`sid.runs.signals`), and what is requeued goes on from there by itself.

    Args:
        job: of the workflow.
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self) -> None:
        """Run the command in this process.

        Raises:
            UserError: the command refuses, or the disk does; the rule's log has the same line.
        """
        os.chdir(self.job.workdir)
        words = [*shlex.split(self.job.params["command"]), "--threads", str(self.job.threads)]
        try:
            build(words[0])(words, standalone_mode=False)
        except (UserError, OSError, TyperException) as error:
            line = told(error)
            for path in map(Path, self.job.log[:1]):
                with suppress(OSError):  # Of the same full disk, say: it must not hide the first.
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("a", encoding="utf-8") as log:
                        log.write(f"error: {line}\n")
            raise UserError(line) from error


def told(error: Exception) -> str:
    """The one line that the command line would print."""
    if isinstance(error, TyperException):
        return error.format_message()
    return explain(error) if isinstance(error, OSError) else str(error)
