"""Options that several commands share, and what they set up."""

import inspect
import shlex
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from typer.core import TyperGroup

from sid.errors import UserError
from sid.runs.memory import keep_freed_memory
from sid.runs.precision import set_precision

Out = Annotated[Path, typer.Option(help="Where to write.")]
Data = Annotated[Path, typer.Option(help="The data set, a zip in EDM's layout.")]
# Draw k is of seed + k, and NumPy's generators of the libraries take 32 bits.
Seed = Annotated[int, typer.Option(help="Seed of all randomness.", min=0, max=2**31 - 1)]
Budget = Annotated[
    float, typer.Option(help="Multiplies every duration of the recipe.", min=1e-9, max=1e6)
]
Threads = Annotated[
    int, typer.Option(help="CPU threads; a run keeps those it began with.", min=1, max=256)
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ... ; auto takes a GPU if any.")]
Restart = Annotated[bool, typer.Option(help="Set another run found in --out aside; begin anew.")]
Quiet = Annotated[bool, typer.Option(help="No progress.")]


def group(default: str) -> type[TyperGroup]:
    """A stage's commands with a default: what is no command's name is its first argument.

    Args:
        default: so that `sid stage FILE` is short for `sid stage default FILE`.
    """

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Put the default command's name before its arguments."""
            if args and args[0] not in (*self.commands, *ctx.help_option_names):
                args = [default, *args]
            return super().parse_args(ctx, args)

    return Group


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are dataclasses are given field by field.

    Options that several commands share so stand once, as a dataclass with a field for each.

    Args:
        command: what a `typer` app registers; fields are typed and have defaults as parameters do.
    """
    groups: dict[str, Any] = {}
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if not is_dataclass(parameter.annotation):
            shown.append(parameter)
            continue
        groups[parameter.name] = parameter.annotation
        for field in fields(parameter.annotation):
            annotation, default = field.type, field.default
            shown.append(parameter.replace(name=field.name, annotation=annotation, default=default))

    def flat(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    flat.__name__, flat.__doc__ = command.__name__, command.__doc__
    flat.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        sorted(shown, key=lambda one: one.default is not one.empty)
    )
    return flat


def same_command(context: typer.Context) -> str:
    """The running command with its options, as a line for a shell in this folder."""
    program = Path(sys.executable).with_name("sid")
    if program.is_relative_to(Path.cwd()):
        program = program.relative_to(Path.cwd())
    words = [str(program), *context.command_path.split()[1:]]
    for option in context.command.params:
        value = context.params[option.name or ""]
        if value is True:
            words.append(option.opts[0])
        elif value not in (None, False, option.default):
            words += [option.opts[0], str(value)]
    return shlex.join(words)


def set_up_device(device: str, threads: int) -> torch.device:
    """Set threads, memory and the published float32 precision (no TF32), and find the device.

    Raises:
        UserError: there is no such device.
    """
    torch.set_num_threads(threads)
    keep_freed_memory()
    set_precision("fp32")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise UserError(f"--device {device}: unknown; try cpu or cuda") from error
    if found.type not in ("cpu", "cuda"):
        raise UserError(f"--device {device}: not supported; try cpu or cuda")
    if found.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"--device {device}: this machine shows no CUDA GPU; try cpu")
    return found
