"""The stack machine: the pickle opcodes of plain data, and no other.

Decided: ours, and not `pickle.Unpickler` with a `find_class` that knows nothing but stand-ins,
which was tried with CPython 3.11. It runs no code, but a hostile file still has power over it:

- It makes room in its memo for an index before there are objects: a file of 9 bytes took 4 GB.
- It hashes every key. A million tuples in one another, 1 MB, end the process by a stack overflow. A
  tuple that holds the one before it twice doubles the work with each level: 130 bytes ask for 2^60
  steps. Integers can be chosen to collide.
- Of a key that is there twice it silently takes the second.

A pass of `pickletools` before it could bound the memo, but to know which objects are keys it has to
follow the stack, which is what this module does. The unpickler that is written in Python is
private, makes room for what BYTEARRAY8 claims, and hashes likewise.
"""

import io
import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import Any

from sid.errors import UserError
from sid.unpickle.arrays import build
from sid.unpickle.tree import Global, check_tree, printable

Allowed = Mapping[tuple[str, str], Callable[..., Any]]

OPCODES = 1_000_000  # 60,000 in a CIFAR-10 batch, about 50,000 in an official teacher.
BITS = 128  # Of an integer.
ARGUMENTS = 8  # Of a stand-in.
# What reading nonsense raises; RuntimeError is PyTorch's, for the truth of a tensor of several.
DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    struct.error,
)
# Bytes that stand-ins may give out for each byte of the file: storage, tensor, parameter.
SHARE = 4

LITERALS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
LITERALS |= {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
LITERALS |= {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}
LITERALS |= {"STRING", "BINSTRING", "SHORT_BINSTRING"}  # Python 2's str.
# What is pushed, made anew each time.
FRESH: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
# What is taken off the stack: so many objects, or all since the last mark.
TAKES = {"APPEND": 1, "BINPERSID": 1, "BUILD": 1, "NEWOBJ": 2, "REDUCE": 2, "SETITEM": 2}
TAKES |= {"STACK_GLOBAL": 2, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
TAKES_MARKED = {"ADDITEMS", "APPENDS", "DICT", "FROZENSET", "LIST", "SETITEMS", "TUPLE"}


def restricted_loads(data: bytes, allowed: Allowed, source: str) -> Any:
    """The object in a pickle, as plain data.

    Args:
        data: the pickle, protocol 0 to 5.
        allowed: a stand-in for each global that may be named, by module and name. It is called
            with the file's arguments, which may be anything, and raises ValueError or TypeError
            for those that it does not take (`DAMAGE` is caught).
        source: names the file in errors.

    Returns:
        None, bool, int, float, str (of Python 2 too), bytes, lists, tuples, sets, dictionaries with
        text, bytes or integer keys, what the stand-ins return, and `Global` for a name that is not
        called. Without cycles, at most 100 deep; parts may be shared.

    Raises:
        UserError: the file names another global, is damaged, or claims more than it holds.
    """
    if not data:
        raise UserError(f"{source}: empty file")
    for magic, what in (
        (b"PK\x03\x04", "a zip archive (torch.save writes one)"),
        (b"\x1f\x8b", "gzip"),
    ):
        if data.startswith(magic):
            raise UserError(f"{source}: {what}, not a pickle")
    stream = io.BytesIO(data)
    try:
        tree = Machine(allowed, SHARE * len(data)).run(stream)
        if left := len(data) - stream.tell():
            raise ValueError(f"{left} bytes follow its end")
        check_tree(tree)
    except RefusedError as error:
        raise UserError(f"{source}: refused: {error}; none of it was run") from error
    except DAMAGE as error:
        # The key of a failed look-up, such as 105, tells a person nothing.
        why = "" if isinstance(error, LookupError) else f" ({printable(str(error))})"
        raise UserError(f"{source}: damaged or not a pickle{why}; get it anew") from error
    return tree


class RefusedError(Exception):
    """The file asks for what only a program needs."""


class Machine:
    """One reading of one pickle.

    Args:
        allowed: as for `restricted_loads`.
        budget: bytes that the stand-ins may give out.
        opcodes: at most this many.
        persistent: what a persistent id stands for; without it they are refused.
    """

    def __init__(
        self,
        allowed: Allowed,
        budget: int,
        opcodes: int = OPCODES,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self.allowed, self.budget = allowed, budget
        self.opcodes, self.persistent = opcodes, persistent
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: io.BytesIO) -> Any:
        """Read up to and with the next STOP.

        Raises:
            RefusedError: an opcode or a global is not for data.
            DAMAGE: the pickle is damaged.
        """
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= self.opcodes:
                raise ValueError(f"more than {self.opcodes} opcodes")
            if opcode.name == "STOP":
                break
            self._step(opcode.name, argument)
        if len(self.stack) != 1 or self.marked:
            raise ValueError(f"{len(self.stack)} objects at its end instead of one")
        return self.stack.pop()

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in LITERALS:
            if isinstance(argument, int) and argument.bit_length() > BITS:
                raise ValueError(f"an integer of more than {BITS} bits")
            stack.append(argument)
        elif name in FRESH:
            stack.append(FRESH[name]())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name == "MARK":
            self.marked.append(stack)
            self.stack = []
        elif name == "GLOBAL":
            stack.append(self._global(*argument.split(" ", 1)))
        elif name in TAKES or name in TAKES_MARKED:
            self._compose(name, self._take(name))
        elif name not in ("PROTO", "FRAME"):
            raise RefusedError(f"opcode {name}, which no data needs")

    def _take(self, name: str) -> list[Any]:
        if name in TAKES_MARKED:
            taken, self.stack = self.stack, self.marked.pop()
            return taken
        if len(self.stack) < TAKES[name]:
            raise IndexError("stack is empty")
        return [self.stack.pop() for _ in range(TAKES[name])][::-1]

    def _compose(self, name: str, taken: list[Any]) -> None:
        stack = self.stack
        match name:
            case "LIST":
                stack.append(taken)
            case "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(taken))
            case "DICT":
                stack.append(_update({}, taken))
            case "FROZENSET":
                stack.append(_add(set(), taken))
            case "APPEND" | "APPENDS":
                _extend(stack[-1], taken)
            case "SETITEM" | "SETITEMS":
                _update(stack[-1], taken)
            case "ADDITEMS":
                _add(stack[-1], taken)
            case "STACK_GLOBAL":
                stack.append(self._global(*taken))
            case "REDUCE" | "NEWOBJ":
                stack.append(self._call(*taken))
            case "BUILD":
                build(stack[-1], *taken)
                self._charge(stack[-1])
            case "BINPERSID" if self.persistent:
                stack.append(self.persistent(*taken))
            case _:
                raise RefusedError(f"opcode {name}, which no data needs")

    def _global(self, module: Any, name: Any) -> Global:
        if type(module) is not str or type(name) is not str:
            raise TypeError("a global without a name")
        found = Global(module, name)
        if (module, name) not in self.allowed:
            raise RefusedError(f"it names {found}, which is not among the names read here")
        return found

    def _call(self, named: Any, arguments: Any) -> Any:
        if type(named) is not Global or type(arguments) is not tuple or len(arguments) > ARGUMENTS:
            raise TypeError("a call of what is not a global, or without a short tuple")
        try:
            value = self.allowed[named.module, named.name](*arguments)
        except DAMAGE as error:
            raise ValueError(f"{named}: {error}") from error
        self._charge(value)
        return value

    def _charge(self, value: Any) -> None:
        size = len(value) if isinstance(value, bytes | str) else getattr(value, "nbytes", 0)
        self.budget -= size
        if self.budget < 0:
            raise ValueError("describes more data than the file holds")


def _extend(target: Any, items: list[Any]) -> None:
    if type(target) is not list:
        raise TypeError("items for what is no list")
    target.extend(items)


def _key(key: Any) -> Any:
    # Integers beyond 2^60 can be chosen to collide in a dictionary and make it slow.
    if type(key) in (str, bytes) or (type(key) is int and abs(key) < 1 << 60):
        return key
    raise TypeError("a key that is neither text nor a small integer")


def _update(target: Any, items: list[Any]) -> dict[Any, Any]:
    if type(target) is not dict or len(items) % 2:
        raise TypeError("pairs for what is no dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if _key(key) in target:
            raise ValueError(f"key {str(key)[:100]!r} twice")
        target[key] = value
    return target


def _add(target: Any, items: list[Any]) -> set[Any]:
    if type(target) is not set:
        raise TypeError("elements for what is no set")
    target.update(map(_key, items))
    return target
