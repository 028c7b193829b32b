"""Snakemake 9 executor plugin: jobs on Slurm through submitit (`snakemake --executor submitit`).

An ordinary rule runs as one task. A rule with `params: submitit="module:Class"` runs that class
in every task of its job. See docs/further.md.
"""

from snakemake_executor_plugin_submitit.executor import Executor
from snakemake_executor_plugin_submitit.settings import ExecutorSettings, common_settings
from snakemake_executor_plugin_submitit.tasks import Job

__all__ = ["Executor", "ExecutorSettings", "Job", "common_settings"]
