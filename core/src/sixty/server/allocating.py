"""The allocator of glibc, which would keep what a server needed once: each thread's for itself, and for good.

Elsewhere nothing of this is done, nor needed.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

__all__ = ["give_back", "share"]

ARENAS = 2
"""Pools from which threads take memory at the most; glibc would have eight for each core."""
_M_ARENA_MAX = -8
"""How glibc's `malloc.h` numbers that setting."""


def share() -> None:
    """Threads that begin from now on take memory from a few common pools."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Pages that nothing is on any more are the system's again. Takes milliseconds."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> Any | None:
    """The C library of this process, if it is glibc."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
