"""What is said of a task that failed."""

import traceback

from snakemake_executor_plugin_submitit.outcome import message


def raised(text: str) -> str:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError(text) from error
    except ValueError:
        return traceback.format_exc()


def test_the_whole_message_of_the_last_error() -> None:
    assert message(raised("one line")) == "ValueError: one line"
    assert message(raised("two\n  lines\n")) == "ValueError: two lines"
    assert message("not a traceback\nat all") == "at all"
    assert message("") == "failed"
