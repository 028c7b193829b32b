"""The `sid` command: one subcommand per stage, and those beside them."""

import os
import sys
from importlib import import_module

import typer
from typer.exceptions import Abort, TyperException

from sid.errors import UserError, explain, printable, speak_any_encoding

STAGES = {
    "recipes": "List the recipes as the papers' tables do, or show one with its sources.",
    "claims": "List what the papers claim, or print one claim with all that decides it.",
    "fetch": "Get what the experiments need from the web, where there is one.",
    "cost": "What a recipe costs on GPUs: hours, memory, days.",
    "data": "Make data sets in EDM's zip layout.",
    "teacher": "Train or import diffusion models to distil.",
    "distill": "Distil a teacher into a one-step generator.",
    "evaluate": "Measure runs, teachers and the real images themselves.",
    "merge": "Merge records of several evaluations, machines or people into one table.",
    "reached": "Look whether a run in training has reached a published number, and may end.",
    "verdict": "Judge the claims by the records.",
    "report": "Write the tables, the figures and one self-contained page.",
    "verify": "Measure published checkpoints, and judge what was published of them.",
    "bundle": "Put records and all that follows from them in one file to hand in.",
}
# Commands that are no folder of their own.
MODULES = {"merge": "sid.evaluate.merging", "reached": "sid.verdict.reached_command"}


def build(wanted: str | None) -> typer.Typer:
    """The command line with the code of one stage, and the names of the others.

    Torch, scikit-learn and matplotlib take seconds to import; a stage waits for its own alone.

    Args:
        wanted: the stage, or None.
    """
    speak_any_encoding()  # Every process of `sid` comes by here, on a cluster too.
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Reproduce one-step diffusion by score identity distillation, stage by stage.",
    )
    for stage, summary in STAGES.items():
        if stage == wanted:
            import_module(MODULES.get(stage, f"sid.{stage}.command")).register(app)
        else:
            app.command(stage, help=summary)(lambda: None)
    return app


def main() -> None:
    """Run the command line; a problem a person can mend is one line and exit status 2."""
    try:
        app = build(next((word for word in sys.argv[1:] if word in STAGES), None))
        sys.exit(app(standalone_mode=False))
    except TyperException as error:
        message = error.format_message()
        if message.startswith("Usage: "):  # No arguments at all: the message is the help.
            print(message, file=sys.stderr)
            sys.exit(2)
        fail(message)
    except Abort:
        sys.exit(130)
    except UserError as error:
        fail(str(error))
    except OSError as error:
        fail(explain(error))


def fail(message: str) -> None:
    """Print one line to standard error and exit with status 2.

    Of several processes each tells: the first knows only that another is gone.
    """
    rank = os.environ.get("RANK", "0")
    where = "" if rank == "0" else f"process {rank}: "
    print(printable(f"error: {where}{message}"), file=sys.stderr)
    raise SystemExit(2)
