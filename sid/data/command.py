"""`sid data`: make data sets, each with a command of its own."""

import typer

from sid.plugins import plugins


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line, with every data set that is installed."""
    app = typer.Typer(no_args_is_help=True, help="Make data sets in EDM's zip layout.")
    for name, command in sorted(plugins("sid.data").items()):
        app.command(name)(command)
    cli.add_typer(app, name="data")
