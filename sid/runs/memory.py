"""Freed memory is kept for the next tensors instead of being given back to the system."""

import ctypes

# Parameters of glibc's mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT = 256 * 2**20  # Bytes, at most.
LARGE = 32 * 2**20  # The most that glibc takes: what is larger goes back at once.


def keep_freed_memory() -> bool:
    """Set it for the whole process; nothing that is computed changes.

    A small network's tensors come and go by the megabyte. As glibc has it, the system gets them
    back after each layer and clears the same pages anew for the next, which is a sixth of the
    processor time of a forward (`benchmarks/evaluate.py`).

    Returns:
        Whether this C library can be told.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # Of macOS, Windows and musl.
        return False
    return bool(mallopt(TRIM_THRESHOLD, KEPT)) and bool(mallopt(MMAP_THRESHOLD, LARGE))
