"""What a callable takes from its rule, and what Snakemake alone could do for it.

Snakemake's own job makes a benchmark, a shadow folder, an environment and so on. A callable runs in
its place, so a rule that asks for one of these is refused: Snakemake would miss the file, or remove
finished output, or run the callable in the wrong environment without a word.
"""

from collections.abc import Iterable
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import DeploymentMethod, SharedFSUsage

NEEDED = {SharedFSUsage.INPUT_OUTPUT, SharedFSUsage.STORAGE_LOCAL_COPIES}


def has_callable(rule: Any) -> bool:
    """Whether every job of a rule runs a callable; for a function only its jobs can tell."""
    value = rule.params.get("submitit")
    return isinstance(value, str) and bool(value)


def check_workflow(workflow: Any) -> None:
    """See before the first job that no rule with a callable asks for what it cannot have.

    Raises:
        WorkflowError: a rule does.
    """
    for job in workflow.dag.needrun_jobs():
        if not job.is_group() and has_callable(job.rule):
            check(job)


def check(job: Any) -> None:
    """See that a callable can do all that its rule asks for.

    Raises:
        WorkflowError: it cannot; names the directive.
    """
    for directive in _passed_over(job):
        raise WorkflowError(
            f"rule {job.rule.name}: {directive} and params.submitit do not go together: a callable"
            " runs in place of Snakemake's own job; leave one of the two out"
        )


def _passed_over(job: Any) -> Iterable[str]:
    rule, workflow = job.rule, job.dag.workflow
    methods = workflow.deployment_settings.deployment_method
    flags = {flag for path in job.output for flag in path.flags}
    for flag in ("pipe", "service", "update"):
        if flag in flags:
            yield f"an output with {flag}()"
    if any(map(job.is_pipe_or_service_input, job.input)):
        yield "an input with pipe() or service()"
    if workflow.is_local(rule):
        yield "handover:" if rule.is_handover else "localrule: (or no shell: or run: at all)"
    if job.group is not None:
        yield "group:"
    if rule.benchmark:
        yield "benchmark:"
    if rule.shadow_depth is not None:
        yield "shadow:"
    for method, asked, name in (
        (DeploymentMethod.CONDA, rule.conda_env, "conda:"),
        (DeploymentMethod.APPTAINER, rule.container_img, "container:"),
        (DeploymentMethod.ENV_MODULES, rule.env_modules, "envmodules:"),
    ):
        if asked and method in methods:
            yield f"{name} (in force by --software-deployment-method)"
    if workflow.workflow_settings.cache is not None and rule.cache and rule.cache.output:
        yield "cache: (in force by --cache)"
    if not workflow.storage_settings.shared_fs_usage >= NEEDED:
        yield "--shared-fs-usage without input-output and storage-local-copies"
