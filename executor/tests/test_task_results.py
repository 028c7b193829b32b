"""The error of a task that failed."""

import traceback

from snakemake_executor_plugin_submitit.task_results import last_error


def raised(text: str) -> str:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError(text) from error
    except ValueError:
        return traceback.format_exc()


def test_the_whole_message_of_the_last_error() -> None:
    assert last_error(raised("one line")) == "ValueError: one line"
    assert last_error(raised("two\n  lines\n")) == "ValueError: two lines"
    assert last_error("not a traceback\nat all") == "at all"
    assert last_error("") == "failed"
