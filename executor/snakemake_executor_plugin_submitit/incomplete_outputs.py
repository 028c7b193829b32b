"""Keeps Snakemake from touching the outputs of a job that never started.

Snakemake marks outputs as incomplete while a job runs and removes them when it fails. If the job
was refused or never started, they are whole and from an earlier run. Snakemake has no public
function to say so.
"""

from typing import Any

from snakemake_executor_plugin_submitit.jobs import members


def mark_incomplete(job: Any) -> list[Any]:
    """Mark the outputs of a job as incomplete.

    Returns:
        Those that were not marked before.
    """
    store = job.dag.workflow.persistence
    outputs = [path for member in members(job) for path in member.output]
    marked = store._filter_incomplete_keys([store._get_key(path) for path in outputs])
    job.register()
    return [path for path in outputs if store._get_key(path) not in marked]


def unmark(job: Any, outputs: list[Any]) -> None:
    """Remove the marks of `mark_incomplete`."""
    store = job.dag.workflow.persistence
    for path in outputs:
        store._unmark_incomplete(store._get_key(path))


def keep_on_failure(job: Any) -> None:
    """Disable the removal of outputs for a job that is about to be reported as failed."""
    vars(job)["postprocess"] = _keep


def remove_on_failure(job: Any) -> None:
    """Undo `keep_on_failure`, for a job that is tried again."""
    vars(job).pop("postprocess", None)


async def _keep(**_: Any) -> None:
    """Replaces `postprocess`, which removes the outputs."""
