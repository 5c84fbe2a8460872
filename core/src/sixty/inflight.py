"""How many calls run on a registry, for whoever must wait until none does. Every call passes here: it is cheap."""

from __future__ import annotations

import asyncio

__all__ = ["InFlight"]


class InFlight:
    """A counter that calls raise when they begin and lower when they end."""

    __slots__ = ("_idle", "count")

    def __init__(self) -> None:
        self.count = 0
        self._idle: asyncio.Event | None = None

    def begin(self) -> None:
        """One call more."""
        self.count += 1

    def end(self) -> None:
        """One call less."""
        self.count -= 1
        if self._idle is not None and not self.count:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no call runs."""
        while self.count:
            if self._idle is None or self._idle.is_set():
                self._idle = asyncio.Event()
            await self._idle.wait()
