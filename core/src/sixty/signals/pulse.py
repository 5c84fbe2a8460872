"""The pulse of the event loop: how late it comes to what is due. Whatever holds it up holds up everybody."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Pulse"]

EVERY = 1.0
"""Seconds between two beats."""
BEATS = 60
"""Beats that are remembered."""


class Pulse:
    """One task that wants to wake up once a second, and remembers how late it did."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=BEATS)
        self._due: float | None = None

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Within the block it beats."""
        task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))
            self._due = None

    @property
    def lag(self) -> float:
        """By how many seconds the latest beat came late; the one that is due counts already."""
        overdue = 0.0 if self._due is None else monotonic() - self._due
        return max(overdue, self._late[-1] if self._late else 0.0)

    @property
    def worst(self) -> float:
        """The same, of the worst in the last minute."""
        return max(self.lag, *self._late, 0.0)

    async def _beat(self) -> None:
        while True:
            self._due = monotonic() + EVERY
            await asyncio.sleep(EVERY)
            self._late.append(max(0.0, monotonic() - self._due))
