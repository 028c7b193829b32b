"""What Snakemake notes of the outputs of a job and does to them, where the job may never begin.

It marks them as incomplete while a job runs, and removes them after a failure. Those of a job that
was refused, or never began, are of an earlier one, and whole. There is no public way to say so.
"""

from typing import Any

from snakemake_executor_plugin_submitit.describe import parts


def mark(job: Any) -> list[Any]:
    """Mark outputs as incomplete; those that were not are returned."""
    store = job.dag.workflow.persistence
    outputs = [path for part in parts(job) for path in part.output]
    marked = store._filter_incomplete_keys([store._get_key(path) for path in outputs])
    job.register()
    return [path for path in outputs if store._get_key(path) not in marked]


def unmark(job: Any, outputs: list[Any]) -> None:
    """Take the marks back."""
    store = job.dag.workflow.persistence
    for path in outputs:
        store._unmark_incomplete(store._get_key(path))


def keep(job: Any) -> None:
    """Have Snakemake do nothing to the outputs when it is told that the job has failed."""
    vars(job)["postprocess"] = _nothing


def release(job: Any) -> None:
    """End what `keep` began: the job is tried again."""
    vars(job).pop("postprocess", None)


async def _nothing(**_: Any) -> None:
    """In place of `postprocess`, which removes them."""
