"""Packs that have left the registry: each is told to stop once no call that began before can still use it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from sixty import lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.host import Host
    from sixty.registry import Pack, Registry

__all__ = ["Leaving"]

DRAIN = 10.0
"""Seconds for which a pack waits for those calls."""


class Leaving:
    """One pack on its way out. Nobody needs to wait for it, and least of all a call that runs in it."""

    def __init__(self, host: Host, pack: Pack, holders: Sequence[Registry]) -> None:
        """`holders` are the registries in which it served."""
        self.pack = pack
        self.idle = not any(registry.in_flight.count for registry in holders)
        """Whether no call had to be waited for."""
        self._stopping = False
        self._task = asyncio.create_task(self._leave(host, holders))

    async def _leave(self, host: Host, holders: Sequence[Registry]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                for registry in holders:
                    await registry.in_flight.idle()
        self._stopping = True
        await lifecycle.stop(host, self.pack)

    @property
    def over(self) -> bool:
        """Whether it has stopped."""
        return self._task.done()

    async def ended(self) -> None:
        """Wait until it has stopped."""
        await asyncio.wait((self._task,))

    async def called_back(self) -> bool:
        """Whether it can go on serving as if nothing had been; otherwise it has stopped."""
        if not self._stopping:
            self._task.cancel()
        await asyncio.wait((self._task,))
        return not self._stopping
