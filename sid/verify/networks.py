"""Whether a file at hand holds a network such as the claim's recipe makes."""

from pathlib import Path

from sid.config import read_layers, recipe_path
from sid.errors import UserError, warn
from sid.networks.architecture import Architecture
from sid.teacher.recipe import load_teacher

COMPARED = ("model_type", "model_channels", "channel_mult", "num_blocks", "attn_resolutions")


def check_architecture(path: Path, subject: str, network: Architecture) -> None:
    """Refuse images of other channels, and warn of a U-Net that no run of the recipe has.

    Args:
        path: of the weights, for messages.
        subject: name of the recipe; of one that the suite does not have nothing is known.
        network: what the file holds.

    Raises:
        UserError: its images have other channels.
    """
    claimed = architecture_of(subject)
    if claimed is None:
        return
    if claimed.img_channels != network.img_channels:
        raise UserError(
            f"{path}: {subject} makes images of {claimed.img_channels} channels, but this network "
            f"makes them of {network.img_channels}; give another file"
        )
    for key in COMPARED:
        mine, theirs = getattr(network, key, None), getattr(claimed, key, None)
        if mine != theirs:
            warn(f"{path}: its {key} is {mine}, that of {subject} {theirs}; is it of this recipe?")


def architecture_of(subject: str) -> Architecture | None:
    """The network of a recipe, which is its teacher's; None where it is not known."""
    try:
        path = recipe_path(subject)
        if teacher := read_layers(path).get("teacher"):
            path = recipe_path(teacher)
        return load_teacher(path).architecture()
    except UserError:  # No recipe of the suite, or one whose data gives the size.
        return None
