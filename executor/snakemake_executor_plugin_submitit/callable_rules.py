"""Checks that a rule with a callable uses only directives that callables support.

A callable runs in place of Snakemake's own job, which makes a benchmark, a shadow folder, an
environment and so on. A rule that needs one of these is refused: Snakemake would miss the file,
remove finished output, or run the callable in the wrong environment without a message.
"""

from collections.abc import Iterable
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import DeploymentMethod, SharedFSUsage

NEEDED = {SharedFSUsage.INPUT_OUTPUT, SharedFSUsage.STORAGE_LOCAL_COPIES}


def check_workflow(workflow: Any) -> None:
    """Check all rules with a callable before the first job.

    Where `params.submitit` is a function, its value is known only for a job: `check_job` checks it.

    Raises:
        WorkflowError: a rule uses a directive that callables do not support.
    """
    for job in workflow.dag.needrun_jobs():
        target = None if job.is_group() else job.rule.params.get("submitit")
        if target and isinstance(target, str):
            check_job(job)


def check_job(job: Any) -> None:
    """Check the rule of a job with a callable.

    Raises:
        WorkflowError: names the directive that callables do not support.
    """
    for directive in _unsupported(job):
        raise WorkflowError(
            f"rule {job.rule.name}: {directive} and params.submitit do not go together: a callable"
            " runs in place of Snakemake's own job; leave one of the two out"
        )


def _unsupported(job: Any) -> Iterable[str]:
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
