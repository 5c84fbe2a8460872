"""Whether a database server still answers. What is slow is waited for; a server that says nothing is not.

A statement may take long, and a lost packet is not told to anybody. So when something has been out for a while, the
server is asked on a new connection. If it does not answer there either, nobody waits for it any longer, and nobody
begins to, until it does.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

from sixty.signals.within import apart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Liveness"]

LOOK = 1.0
"""Seconds between two looks, as long as something is out."""
SILENCE = 2.0
"""Seconds after which something that is out is a reason to ask."""


class Liveness:
    """What is out on the way to one server, and whether that answers."""

    def __init__(self, answers: Callable[[], Awaitable[bool]], give_up: Callable[[Any], None]) -> None:
        """`answers` asks the server, in a bounded time; `give_up` ends what waits on a connection."""
        self._answers = answers
        self._give_up = give_up
        self._out: dict[Any, float] = {}
        self._watching: asyncio.Task[None] | None = None
        self.lost = False
        """Whether it did not answer when it was last asked."""

    @property
    def out(self) -> int:
        """How many connections somebody may wait on."""
        return len(self._out)

    def begin(self, connection: Any) -> None:
        """Somebody may wait on this connection now."""
        self._out[connection] = monotonic()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), context=apart())

    def end(self, connection: Any) -> None:
        """Nobody does any more."""
        del self._out[connection]

    async def close(self) -> None:
        """It is not asked any more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))

    async def _watch(self) -> None:
        try:
            while self._out or self.lost:
                await asyncio.sleep(LOOK)
                asked = monotonic()
                if self.lost or min(self._out.values(), default=asked) < asked - SILENCE:
                    self.lost = not await self._answers()
                if self.lost:
                    for connection, since in list(self._out.items()):
                        if since <= asked:
                            self._give_up(connection)
        finally:
            self._watching = None
