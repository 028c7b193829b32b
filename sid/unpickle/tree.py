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
    if not isinstance(root, CONTAINERS):
        return
    finished: dict[int, tuple[int, int]] = {}  # Depth and nodes of what was walked, by id.
    entered: dict[int, list[Any]] = {}  # The containers inside what is being walked.
    todo = [root]
    while todo:
        node = todo[-1]
        key = id(node)
        if key in finished:
            todo.pop()
        elif key not in entered:
            parts = entered[key] = _parts(node)
            for part in parts:
                if id(part) not in finished:
                    if id(part) in entered:
                        raise ValueError("an object contains itself")
                    todo.append(part)
        else:
            below = [finished[id(part)] for part in entered.pop(key)]
            depth = 1 + max((d for d, _ in below), default=0)
            nodes = 1 + (1 if isinstance(node, Record) else len(node)) + sum(n for _, n in below)
            if depth > DEPTH:
                raise ValueError(f"nested more than {DEPTH} deep")
            if nodes > NODES:
                raise ValueError(f"describes more than {NODES} objects by repetition")
            finished[key] = depth, nodes
            todo.pop()
