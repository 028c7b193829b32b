"""Files that would run code, exhaust the machine or lie: one line, status 2, nothing written."""

import gzip
import io
import itertools
import os
import pickle
import pickletools
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sid.errors import UserError
from sid.teacher.official import read_official
from sid.unpickle import machine, tree
from tests.commands import refused, sid
from tests.teacher.test_importing import GIVEN, network
from workflow.rehearsal.official_pickle import (
    CANARY,
    CODE,
    RECONSTRUCT,
    Call,
    dumps,
    persistent,
    snapshot,
)

TOUCH = f"touch {CANARY}"


class System:
    """What every tutorial on pickles shows."""

    def __reduce__(self) -> Any:
        return os.system, (TOUCH,)


def text(value: str) -> bytes:
    """An opcode that pushes a short text."""
    return b"\x8c" + bytes([len(value)]) + value.encode()


def stacked(module: str, name: str, rest: bytes) -> bytes:
    """Protocol 4: push a global by STACK_GLOBAL, then `rest`, then stop."""
    return b"\x80\x04" + text(module) + text(name) + b"\x93" + rest + b"."


def storage(kind: str = "FloatStorage", claimed: int = 4, held: int = 4) -> Call:
    """A storage of zeros that claims `claimed` elements of 4 bytes and has `held`."""
    out = io.BytesIO()
    memory = torch.zeros(held).untyped_storage()
    typed = torch.storage.TypedStorage(wrap_storage=memory, dtype=torch.float32, _internal=True)
    torch.save(typed, out, _use_new_zipfile_serialization=False)
    raw = out.getvalue().replace(b"FloatStorage", kind.encode())
    if claimed != held:
        assert b"cpuq\x03K" + bytes([held]) in raw
        raw = raw.replace(b"cpuq\x03K" + bytes([held]), b"cpuq\x03J" + struct.pack("<i", claimed))
        raw = raw.replace(struct.pack("<q", held), struct.pack("<q", claimed))
    return Call("torch.storage", "_load_from_bytes", raw)


def tensor(offset: Any = 0, size: Any = (4,), stride: Any = (1,), of: Any = None) -> bytes:
    return dumps({"ema": Call(*TENSOR, of or storage(), offset, size, stride, False, {})})


def blob(content: bytes) -> bytes:
    return dumps({"ema": Call("torch.storage", "_load_from_bytes", content)})


def zipped() -> bytes:
    out = io.BytesIO()
    torch.save({"a": System()}, out)
    return out.getvalue()


def legacy() -> bytes:
    out = io.BytesIO()
    torch.save(System(), out, _use_new_zipfile_serialization=False)
    return out.getvalue()


def snapshot_with(change: Callable[[Any, dict[str, Any]], None]) -> bytes:
    """An official snapshot whose network and arguments `change` has altered."""
    value = snapshot(network(), GIVEN)
    change(value["ema"], vars(value["ema"])["_init_kwargs"])
    return dumps(value)


def given(**values: Any) -> bytes:
    return snapshot_with(lambda _, kwargs: kwargs.update(values))


def cyclic() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def laughs(levels: int) -> list[Any]:
    """A list that names another ten times, which names another ten times, and so on."""
    inner: list[Any] = []
    for _ in range(levels):
        inner = [inner] * 10
    return inner


def laughing_key(levels: int) -> bytes:
    """A dictionary whose key is a tuple that holds another twice, and so on: to hash it is work."""
    twice = b"".join(2 * (b"h" + bytes([i])) + b"\x86\x94" for i in range(levels))
    return b"\x80\x04()\x94" + twice + b"t}h" + bytes([levels]) + b"Ns\x86."


def same_tensors() -> bytes:
    """A network with one tensor for each shape: more weights than the file has bytes."""
    wide = {**GIVEN, "model_channels": 32}
    module = network(**wide)
    first: dict[Any, Any] = {}
    for part in module.modules():
        for name, parameter in part._parameters.items():
            part._parameters[name] = first.setdefault(getattr(parameter, "shape", None), parameter)
    return dumps(snapshot(module, wide))


def integers(module: Any, _: Any) -> None:
    parameters = module.model.map_layer0._parameters
    parameters["bias"] = parameters["bias"].int()


def deep_modules(module: Any, _: Any) -> None:
    for _ in range(60):
        inner = torch.nn.Module()
        inner.add_module("m", module.model)
        module.model = inner


MILLION = 1_000_000
VALID = dumps(snapshot(network(), GIVEN))

NUMPY_TESTS, CONTROLS = "numpy.testing._private.utils", "os\n\x1b[2J" + "x" * 90
TENSOR = ("torch._utils", "_rebuild_tensor_v2")
MODULES = ("torch.nn.modules.container", "ModuleDict")
NUMPY_1 = ("numpy.core.multiarray", "_reconstruct", np.ndarray, (0,), b"b")
NUMPY_2 = ("numpy._core.numeric", "_frombuffer")
OWN_CLASS = {"__class__": "x", "__setstate__": 1, "state": 2}

CODE_RUNNING = {
    "os.system": (pickle.dumps({"ema": System()}), "posix.system"),
    "eval": (dumps(Call("builtins", "eval", CODE)), "builtins.eval"),
    "exec, protocol 0": (dumps(Call("builtins", "exec", CODE), 0), "builtins.exec"),
    "python 2 name": (dumps(Call("__builtin__", "eval", CODE), 0), "__builtin__.eval"),
    "getattr": (dumps(Call("builtins", "getattr", [], "append")), "builtins.getattr"),
    "NEWOBJ": (stacked("subprocess", "Popen", text(TOUCH) + b"\x85\x81"), "subprocess.Popen"),
    "NEWOBJ_EX": (stacked("collections", "OrderedDict", b")}\x92"), "NEWOBJ_EX"),
    "INST": (b"(S'" + TOUCH.encode() + b"'\nios\nsystem\n.", "INST"),
    "OBJ": (b"(cos\nsystem\nS'" + TOUCH.encode() + b"'\no.", "os.system"),
    "OBJ of an allowed name": (b"(ccollections\nOrderedDict\no.", "OBJ"),
    "dotted name": (stacked("collections", "OrderedDict.a.b", b""), "collections.OrderedDict.a.b"),
    "dotted module": (stacked("torch._utils.os", "system", b""), "torch._utils.os.system"),
    "EXT1": (b"\x80\x02\x82\x01.", "EXT1"),
    "EXT2": (b"\x80\x02\x83\x01\x01.", "EXT2"),
    "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", "EXT4"),
    "persistent id": (b"\x80\x04" + text("storage") + b"Q.", "BINPERSID"),
    "persistent id, protocol 0": (b"Pstorage\n.", "PERSID"),
    "out-of-band buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "torch.load": (dumps(Call("torch.serialization", "load", "x")), "torch.serialization.load"),
    "torch.hub": (dumps(Call("torch.hub", "load", "a/b", "c")), "torch.hub.load"),
    "numpy runstring": (dumps(Call(NUMPY_TESTS, "runstring", CODE, {})), "utils.runstring"),
    "code in a storage": (blob(legacy()), "posix.system"),
    "code in a storage, zip": (blob(zipped()), "_load_from_bytes"),
    "beside the network": (dumps({**snapshot(network(), GIVEN), "x": System()}), "posix.system"),
    "an attribute": (snapshot_with(lambda m, _: vars(m).update(_x=System())), "posix.system"),
    "control characters in a name": (stacked(CONTROLS, "system", b""), "os\\n\\x1b[2Jxxx"),
}

CLAIMS = {
    "8-byte length": (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"x.", "damaged"),
    "8-byte text length": (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x.", "damaged"),
    "negative length": (b"\x80\x02T" + struct.pack("<i", -1) + b"x.", "damaged"),
    "huge memo index": (b"\x80\x04]r\xff\xff\xff\xff.", "no network under the key `ema`"),
    "huge integer": (b"\x80\x02\x8b" + struct.pack("<i", 9999) + bytes(9998) + b"\x01.", "bits"),
    "million lists": (b"]" * MILLION + b"a" * (MILLION - 1) + b".", "more than 1000000 opcodes"),
    "deep lists": (b"]" * 100_000 + b"a" * 99_999 + b".", "nested more than 100 deep"),
    "deep tuples": (b"\x80\x02)" + b"\x85" * 100_000 + b".", "nested more than 100 deep"),
    "deep marks": (b"(" * 200_000 + b".", "damaged"),
    "deep modules": (snapshot_with(deep_modules), "nested more than 100 deep"),
    "cycle": (dumps({"ema": cyclic()}), "contains itself"),
    "exponential": (dumps({"ema": laughs(30)}), "by repetition"),
    "elements": (tensor(size=(10**15,)), "1000000000000000 elements"),
    "elements by product": (tensor(size=(1 << 40, 1 << 40), stride=(0, 0)), "elements from 0"),
    "expanded": (tensor(size=(5,), stride=(0,)), "5 elements from 0"),
    "offset": (tensor(offset=1), "4 elements from 1 in a storage of 4"),
    "huge offset": (tensor(offset=1 << 59, size=(0,)), "in a storage of 4"),
    "stride": (tensor(size=(2,), stride=(4,)), "2 elements from 0 in a storage of 4"),
    "negative stride": (tensor(offset=3, stride=(-1,)), "no small number"),
    "negative size": (tensor(size=(-4,)), "no small number"),
    "size of text": (tensor(size=("4",)), "no small number"),
    "sizes and strides": (tensor(size=(2, 2)), "strides that do not fit"),
    "dimensions": (tensor(size=(1,) * 9, stride=(1,) * 9), "strides that do not fit"),
    "hooks": (dumps(Call(*TENSOR, storage(), 0, (4,), (1,), False, {1: 2})), "hooks"),
    "hooks that are a tensor": (
        dumps(Call("torch._utils", "_rebuild_parameter", *2 * [torch.zeros(3)], torch.zeros(3))),
        "torch._utils._rebuild_parameter",
    ),
    "numbers that are arrays": (
        dumps(Call(*NUMPY_1, state=(np.ones(3), (0,), np.dtype("u1"), False, b""))),
        "damaged",
    ),
    "no storage": (tensor(of=[1.0, 2.0]), "not a tensor of a storage"),
    "storage claims more": (tensor(of=storage(claimed=4000)), "16 bytes of elements"),
    "storage of another type": (tensor(of=storage("DoubleStorage")), "16 bytes of elements"),
    "storage of objects": (tensor(of=storage("QUInt8Storage")), "torch.QUInt8Storage"),
    "storage of nothing": (blob(b""), "_load_from_bytes"),
    "storage of text": (dumps(Call("torch.storage", "_load_from_bytes", "x")), "not bytes"),
    "one weight many times": (same_tensors(), "more weights than it holds"),
    "array of objects": (dumps(Call("numpy", "dtype", "O8", False, True)), "other than plain"),
    "array too long": (
        dumps(Call(*NUMPY_2, b"", Call("numpy", "dtype", "u1"), (1 << 50,), "C")),
        "another number of elements",
    ),
    "array called": (dumps(Call("numpy", "ndarray", (1 << 40,))), "numpy.ndarray: may be named"),
    "text again and again": (
        dumps([Call("_codecs", "encode", word, "latin1") for word in ["x" * 9999] * 9]),
        "more data than the file holds",
    ),
    "keys that collide": (dumps({"ema": {k * ((1 << 61) - 1): 0 for k in (1, 2)}}), "a key"),
    "key of a tuple": (dumps({(1, 2): 0}), "a key that is neither"),
    "key of laughing tuples": (laughing_key(60), "a key that is neither"),
    "key of deep tuples": (b"\x80\x04})" + b"\x85" * 100_000 + b"Ns.", "a key that is neither"),
    "key twice": (b"\x80\x04}(" + 2 * (text("ema") + b"N") + b"u.", "key 'ema' twice"),
    "BUILD on a dictionary": (b"\x80\x04}}(" + text("__class__") + b"Nub.", "BUILD on what"),
    "BUILD on a tensor": (
        dumps(Call(*TENSOR, storage(), 0, (4,), (1,), False, {}, state={"__class__": 1})),
        "BUILD on what takes no state",
    ),
    "slots": (dumps({"ema": Call(*MODULES, state=(None, {"a": 1}))}), "no plain dictionary"),
    "__class__ in the state": (dumps({"ema": Call(*MODULES, state=OWN_CLASS)}), "ModuleDict"),
    "append to a dictionary": (b"\x80\x04}]a.", "items for what is no list"),
    "items of a list": (b"\x80\x04](NNu.", "pairs for what is no dictionary"),
    "call without a tuple": (stacked("collections", "OrderedDict", b"]R"), "short tuple"),
    "called with one": (stacked("collections", "OrderedDict", b"]\x85R"), "collections.Ord"),
}

BROKEN = {
    "empty": (b"", "empty file"),
    "text": (b"version https://git-lfs.github.com/spec/v1\n", "not a pickle"),
    "page": (b"<!DOCTYPE html><html></html>", "not a pickle"),
    "random": (np.random.default_rng(0).bytes(5000), "not a pickle"),
    "zip": (zipped(), "a zip archive (torch.save writes one), not a pickle"),
    "gzip": (gzip.compress(VALID), "gzip, not a pickle"),
    "torch.save of old": (legacy(), "follow its end"),
    "cut": (VALID[: len(VALID) // 2], "damaged"),
    "last byte missing": (VALID[:-1], "damaged"),
    "one byte": (b"\x80", "damaged"),
    "something after": (VALID + b"x", "1 bytes follow its end"),
    "two objects": (b"NN.", "2 objects at its end"),
    "none": (b".", "0 objects at its end"),
    "open mark": (b"(N.", "damaged"),
    "unknown memo": (b"h\x07.", "damaged"),
    "number": (b"I5\n.", "no network under the key `ema`"),
    "no ema": (dumps({"net": 1}), "no network under the key `ema`"),
    "another network": (dumps({"ema": persistent("VPPrecond", {})}), "of class VPPrecond"),
    "no class": (dumps({"ema": Call(*RECONSTRUCT, {"type": 1})}), "describes no object"),
    "no arguments": (dumps({"ema": persistent("EDMPrecond", {})}), "constructed with"),
    "unknown argument": (given(**{"evil\n": 1}), "evil\\n: unknown key"),
    "argument missing": (
        snapshot_with(lambda _, kwargs: kwargs.pop("img_resolution")),
        "img_resolution: is missing",
    ),
    "unknown model": (given(model_type="os.system"), "model_type: os.system is unknown"),
    "endless blocks": (given(num_blocks=10**9), "`num_blocks` is not in 0 .. 64"),
    "huge layer": (given(model_channels=10**9), "`model_channels` is not in"),
    "negative width": (given(model_channels=-8), "`model_channels` is not in"),
    "not a number": (given(dropout=float("nan")), "`dropout` is not in"),
    "nested argument": (given(channel_mult=[[1], 2]), "`channel_mult` is no number"),
    "no division": (given(label_dim=0), "has besides 2 of the"),
    "tensor missing": (
        snapshot_with(lambda module, _: delattr(module.model.map_layer0, "bias")),
        "lacks 1 of the 149 tensors of the network that its arguments describe, first "
        "model.map_layer0.bias",
    ),
    "tensor besides": (
        snapshot_with(lambda module, _: module.register_buffer("u", torch.zeros(1))),
        "has besides 1 of the",
    ),
    "another shape": (given(img_channels=3), "should be floating point (8, 3, 3, 3)"),
    "integers": (snapshot_with(integers), "torch.int32"),
    "no tensor": (
        snapshot_with(lambda module, _: module.model.map_layer0._parameters.update(bias=[1])),
        "`model.map_layer0.bias` is not a tensor",
    ),
    "no module": (
        snapshot_with(lambda module, _: module.model._modules.update(map_layer0=7)),
        "`model.map_layer0` is not a module",
    ),
}

ALL = {**CODE_RUNNING, **CLAIMS, **BROKEN}


def bounded(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, most: int) -> None:
    """Let a function be called so often at most: what a file costs is counted, not timed."""
    real, calls = getattr(owner, name), itertools.count(1)

    def call(*given: Any) -> Any:
        assert next(calls) <= most, f"{name} is called more than {most} times"
        return real(*given)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize("name", ALL)
def test_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, part = ALL[name]
    monkeypatch.chdir(tmp_path)
    Path("edm-x.pkl").write_bytes(content)
    # A step for each byte at most, and a look into each container that a step has made.
    bounded(monkeypatch, machine.Machine, "_step", min(len(content), 1_000_000))
    bounded(monkeypatch, tree, "_parts", min(len(content), 1_000_000))
    error = refused(sid("teacher", "import", "edm-x.pkl", "--out", "out"), part)
    assert error.startswith("error: edm-x.pkl: ")
    assert error.isascii()
    assert len(error) < 400
    assert name not in CODE_RUNNING or "none of it was run" in error or "_load_from" in error
    assert sorted(os.listdir()) == ["edm-x.pkl"]  # Neither an output nor the canary.


@pytest.mark.parametrize(
    "name",
    ["8-byte length", "huge memo index", "exponential", "elements", "key of laughing tuples"],
)
def test_claims_take_no_memory(name: str) -> None:
    content, _ = CLAIMS[name]
    tracemalloc.start()
    with pytest.raises(UserError):
        read_official(content, "x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_changed_bytes_are_never_more_than_an_error() -> None:
    """Of 100 files with a few wrong bytes in their structure, each is refused or read."""
    rng = np.random.default_rng(0)
    places = [place for _, _, place in pickletools.genops(VALID) if place]
    refused = 0
    for _ in range(100):
        content = bytearray(VALID)
        for place in rng.choice(places, rng.integers(1, 4)):
            content[place + rng.integers(2)] = rng.integers(256)
        try:
            read_official(bytes(content), "x")
        except UserError:
            refused += 1
    assert refused > 50


def test_not_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    for source, part in (("folder", "is not a file"), ("pipe", "is not a file"), ("x", "no such")):
        refused(sid("teacher", "import", source, "--out", "out"), f"error: {source}: {part}")
    assert sorted(os.listdir()) == ["folder", "pipe"]


def test_the_canary_sings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own reader runs the payload that these tests look for."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(CODE_RUNNING["os.system"][0])
    assert Path(CANARY).exists()
