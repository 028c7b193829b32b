"""`sid data`: make data sets, each with a command of its own."""

from importlib.metadata import entry_points

import typer


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line, with every data set that is installed."""
    app = typer.Typer(no_args_is_help=True, help="Make data sets in EDM's zip layout.")
    for entry in sorted(entry_points(group="sid.data")):
        app.command(entry.name)(entry.load())
    cli.add_typer(app, name="data")
