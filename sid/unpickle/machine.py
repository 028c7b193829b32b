"""The stack machine: the pickle opcodes of plain data, and no other."""

import io
import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import Any, Literal

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
SHARE = (
    4  # Bytes that stand-ins may give out for each byte of the file: storage, tensor, parameter.
)

NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
WORDS = {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}
LITERALS = NUMBERS | WORDS | BYTES
TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING"}  # Python 2's str.
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}


def restricted_loads(
    data: bytes,
    allowed: Allowed,
    source: str,
    *,
    encoding: Literal["latin1", "bytes"] = "latin1",
) -> Any:
    """The object in a pickle, as plain data.

    Args:
        data: the pickle, protocol 0 to 5.
        allowed: a stand-in for each global that may be named, by module and name. It is called
            with the file's arguments, which may be anything, and raises ValueError or TypeError
            for those that it does not take (`DAMAGE` is caught).
        source: names the file in errors.
        encoding: what Python 2's `str` becomes: text, or bytes.

    Returns:
        None, bool, int, float, str, bytes, lists, tuples, sets, dictionaries with text, bytes or
        integer keys, what the stand-ins return, and `Global` for a name that is not called.
        Without cycles, at most 100 deep; parts may be shared.

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
        tree = Machine(allowed, SHARE * len(data), encoding).run(stream)
        if left := len(data) - stream.tell():
            raise ValueError(f"{left} bytes follow its end")
        check_tree(tree)
    except RefusedError as error:
        raise UserError(f"{source}: refused: {error}; none of it was run") from error
    except DAMAGE as error:
        raise UserError(f"{source}: damaged or not a pickle ({printable(str(error))})") from error
    return tree


class RefusedError(Exception):
    """The file asks for what only a program needs."""


class Machine:
    """One reading of one pickle.

    Args:
        allowed: as for `restricted_loads`.
        budget: bytes that the stand-ins may give out.
        encoding: as for `restricted_loads`.
        opcodes: at most this many.
        persistent: what a persistent id stands for; without it they are refused.
    """

    def __init__(
        self,
        allowed: Allowed,
        budget: int,
        encoding: str = "latin1",
        opcodes: int = OPCODES,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self.allowed, self.budget, self.encoding = allowed, budget, encoding
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
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name in TEXTS:
            stack.append(argument.encode("latin1") if self.encoding == "bytes" else argument)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name not in ("PROTO", "FRAME"):
            self._compose(name, argument)

    def _compose(self, name: str, argument: Any) -> None:
        stack = self.stack
        match name:
            case "MARK":
                self.marked.append(stack)
                self.stack = []
            case "LIST":
                self._push(self._since_mark())
            case "TUPLE":
                self._push(tuple(self._since_mark()))
            case "DICT":
                self._push(_update({}, self._since_mark()))
            case "FROZENSET":
                self._push(_add(set(), self._since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                n = int(name[-1])
                if len(stack) < n:
                    raise IndexError("stack is empty")
                stack[-n:] = [tuple(stack[-n:])]
            case "APPEND":
                item = stack.pop()
                _list(stack[-1]).append(item)
            case "APPENDS":
                items = self._since_mark()
                _list(self.stack[-1]).extend(items)
            case "SETITEM":
                pair = stack[-2:]
                del stack[-2:]
                _update(stack[-1], pair)
            case "SETITEMS":
                items = self._since_mark()
                _update(self.stack[-1], items)
            case "ADDITEMS":
                items = self._since_mark()
                _add(self.stack[-1], items)
            case "GLOBAL":
                module, _, attribute = argument.partition(" ")
                stack.append(self._global(module, attribute))
            case "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                stack.append(self._global(module, attribute))
            case "REDUCE" | "NEWOBJ":
                arguments, named = stack.pop(), stack.pop()
                stack.append(self._call(named, arguments))
            case "BUILD":
                state = stack.pop()
                build(stack[-1], state)
                self._charge(stack[-1])
            case "BINPERSID" if self.persistent:
                stack.append(self.persistent(stack.pop()))
            case _:
                raise RefusedError(f"opcode {name}, which no data needs")

    def _push(self, value: Any) -> None:
        self.stack.append(value)

    def _since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marked.pop()
        return items

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


def _list(target: Any) -> list[Any]:
    if type(target) is not list:
        raise TypeError("items for what is no list")
    return target


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
