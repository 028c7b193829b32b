"""Pickles read as data: nothing in a file is imported, called or executed.

`pickletools` splits the file into opcodes, a small stack machine carries out those that plain data
needs, and a global name is looked up in a list of stand-ins that the caller gives; any other name
is refused. Why Python's own unpickler does not do is said in `sid.unpickle.machine`.
"""

from sid.unpickle.arrays import NUMPY_ARRAYS
from sid.unpickle.machine import restricted_loads
from sid.unpickle.tensors import TORCH_TENSORS
from sid.unpickle.tree import Global, Record

__all__ = ["NUMPY_ARRAYS", "TORCH_TENSORS", "Global", "Record", "restricted_loads"]
