"""What other packages bring: metrics, extractors, implementations and methods, by entry points."""

from importlib.metadata import entry_points
from typing import Any

from sid.errors import UserError


def plugins(group: str, kind: type | None = None) -> dict[str, Any]:
    """What installed packages register in a group of entry points, by name.

    Args:
        group: such as `sid.metrics`.
        kind: what each has to be an instance of; None for anything that can be called.

    Raises:
        UserError: an entry cannot be imported, or is of another kind.
    """
    found: dict[str, Any] = {}
    for entry in entry_points(group=group):
        try:
            found[entry.name] = entry.load()
        except (ImportError, AttributeError) as error:
            raise UserError(
                f"entry point {entry.name} of {group}: {entry.value} cannot be imported ({error}); "
                "mend or remove the package that brings it"
            ) from error
        right = callable(found[entry.name]) if kind is None else isinstance(found[entry.name], kind)
        if not right:
            wanted = "a function" if kind is None else f"a {kind.__name__}"
            raise UserError(f"entry point {entry.name} of {group}: {entry.value} is not {wanted}")
    return found
