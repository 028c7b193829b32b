"""Snakemake that kills itself at its second submission: `dying.py MOMENT ARGUMENTS...`.

MOMENT is `before` sbatch runs, `between` its return and the line that writes the job id down,
or right `after` that line.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import submitit.core.utils
import submitit.local.local
from snakemake.cli import main

from snakemake_executor_plugin_submitit.registry import Entry, Registry

MOMENT = sys.argv.pop(1)
submissions = 0


def die() -> None:
    os.kill(os.getpid(), 9)


def wrap(send: Callable[..., Any]) -> Callable[..., Any]:
    def sending(*words: Any, **named: Any) -> Any:
        global submissions
        submissions += 1
        if submissions == 2 and MOMENT == "before":
            die()
        answer = send(*words, **named)
        if submissions == 2 and MOMENT == "between":
            die()
        return answer

    return sending


def writing(self: Registry, entry: Entry, write: Callable[..., None] = Registry.write) -> None:
    write(self, entry)
    if submissions == 2 and entry.job_id is not None:
        die()


assert MOMENT in {"before", "between", "after"}
submitit.core.utils.CommandFunction.__call__ = wrap(submitit.core.utils.CommandFunction.__call__)
submitit.local.local.start_controller = wrap(submitit.local.local.start_controller)
Registry.write = writing  # type: ignore[method-assign]
main(sys.argv[1:])
