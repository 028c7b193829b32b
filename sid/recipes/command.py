"""`sid recipes`: what is to be reproduced."""

from typing import Annotated

import typer

from sid.config import recipe_path
from sid.recipes.listing import load, shown, table

app = typer.Typer(help="The recipes: what is to be reproduced.")


@app.callback(invoke_without_command=True)
def list_recipes(context: typer.Context) -> None:
    """Print all recipes as the papers' tables do, one a row.

    Example: sid recipes
    """
    if context.invoked_subcommand is None:
        print(table())


@app.command("show")
def show_command(
    recipe: Annotated[str, typer.Argument(help="A name that `sid recipes` lists, or a YAML file.")],
) -> None:
    """Print one recipe, each value with its source.

    Example: sid recipes show cifar10-uncond-sid-alpha1.2
    """
    print(shown(load(recipe_path(recipe))))


def register(cli: typer.Typer) -> None:
    """Put the recipes on the command line."""
    cli.add_typer(app, name="recipes")
