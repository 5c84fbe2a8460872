"""Work that takes minutes, in a thread, and that ends when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["Stop", "Stopped", "aside", "never"]

Stop = Callable[[], None]
"""Raises `Stopped` if the work is to end. It is asked for often: between two pieces of a file."""

_T = TypeVar("_T")


class Stopped(Exception):
    """Nobody waits for the work any more."""


def never() -> None:
    """Go on to the end."""


async def aside(work: Callable[[Stop], _T]) -> _T:
    """What `work` returns, in a thread of its own. Who is cancelled meanwhile waits until it has cleaned up."""
    ended = threading.Event()

    def stop() -> None:
        if ended.is_set():
            raise Stopped

    running = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        ended.set()
        with suppress(Exception):
            await running
        raise
