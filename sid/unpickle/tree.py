"""What a pickle becomes: plain containers, arrays, and two inert records."""

from dataclasses import dataclass
from typing import Any

DEPTH = 100  # Official networks nest 25 deep.
NODES = 10_000_000  # With every shared part counted wherever it appears.


def printable(text: str) -> str:
    """Text of a file, fit for one line: no control characters, at most 100 characters."""
    shown = text if len(text) <= 100 else f"{text[:97]}..."
    return shown.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Global:
    """A global that a file names; only its name."""

    module: str
    name: str

    def __str__(self) -> str:
        return printable(f"{self.module}.{self.name}")


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """An object that a file describes: the name of its class, and its attributes by name."""

    class_name: str
    state: dict[str, Any]

    def build(self, state: Any) -> None:
        """Take what the BUILD opcode brings. Nothing is set on any object but this entry."""
        if self.state or type(state) is not dict:
            raise ValueError(f"the state of {printable(self.class_name)} is no plain dictionary")
        self.state = state


CONTAINERS = (dict, list, tuple, Record)


def _parts(node: Any) -> list[Any]:
    """The containers directly inside one; keys and elements of sets are always leaves."""
    inside = [node.state] if isinstance(node, Record) else node
    inside = inside.values() if isinstance(inside, dict) else inside
    return [part for part in inside if isinstance(part, CONTAINERS)]


def check_tree(root: Any) -> None:
    """See that a walk over the tree will end soon: no cycle, not deep, not exponential.

    A file of 100 bytes can describe 10^9 nodes by naming one list ten times in another, and so on.

    Raises:
        ValueError: it is not such a tree.
    """
    known: dict[int, tuple[int, int]] = {}  # Depth and nodes of what was walked, by id.
    entered: set[int] = set()

    def walk(node: Any, left: int) -> tuple[int, int]:
        key = id(node)
        if key in entered:
            raise ValueError("an object contains itself")
        if key not in known and left:
            entered.add(key)
            below = [walk(part, left - 1) for part in _parts(node)]
            entered.remove(key)
            own = 1 if isinstance(node, Record) else len(node)
            depth = 1 + max((depth for depth, _ in below), default=0)
            known[key] = depth, 1 + own + sum(nodes for _, nodes in below)
        if not left or known[key][0] > left:
            raise ValueError(f"nested more than {DEPTH} deep")
        if known[key][1] > NODES:
            raise ValueError(f"describes more than {NODES} objects by repetition")
        return known[key]

    if isinstance(root, CONTAINERS):
        walk(root, DEPTH)
