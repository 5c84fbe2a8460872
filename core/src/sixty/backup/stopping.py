"""Work that takes minutes, in a thread, and that ends when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Stop", "Stopped", "aside"]

_T = TypeVar("_T")


class Stopped(Exception):
    """Nobody waits for the work any more."""


class Stop:
    """What work is to ask often, between two pieces of a file: it raises `Stopped` once the work is to end."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._ending: list[Callable[[], None]] = []

    def __call__(self) -> None:
        """Go on, or raise `Stopped`."""
        if self._ended.is_set():
            raise Stopped

    def end(self) -> None:
        """The work is to end, and whatever it waits for."""
        self._ended.set()
        for end in list(self._ending):
            end()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Within the block, `end` is called if the work is to end: for what it waits for without asking."""
        self._ending.append(end)
        try:
            self()
            yield
        finally:
            self._ending.remove(end)


async def aside(work: Callable[[Stop], _T]) -> _T:
    """What `work` returns, in a thread of its own. Who is cancelled meanwhile waits until it has cleaned up."""
    stop = Stop()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.end()
        with suppress(Exception):
            await running
        raise
