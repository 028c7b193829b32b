"""The `sid` command: one subcommand per stage."""

import sys

import typer

from sid.data.command import app as data_app
from sid.distill.command import distill_command
from sid.errors import UserError, explain
from sid.teacher.command import app as teacher_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Reproduce one-step diffusion by score identity distillation, stage by stage.",
)
app.add_typer(data_app, name="data")
app.add_typer(teacher_app, name="teacher")
app.command("distill")(distill_command)


def main() -> None:
    """Run the command line; a problem a person can mend is one line and exit status 2."""
    try:
        app()
    except UserError as error:
        fail(str(error))
    except OSError as error:
        fail(explain(error))


def fail(message: str) -> None:
    """Print one line to standard error and exit with status 2."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2)
