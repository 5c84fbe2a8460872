"""Notices: how processes on one Postgres tell each other that something was written. What it was, they look up.

Nothing depends on a notice. One may be lost while a connection is cut, or stand for nothing; whoever is told looks
at the database, and looks there from time to time without being told.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from sixty.pace import Pace
from sixty.signals.within import apart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sixty.storage.postgres_connections import Held

__all__ = ["Ear", "Voice"]

CHANNEL = "sixty"
"""As the trigger of the counters names it, in the core's migration 0010."""
AWAY = 1.0
"""Seconds after which a connection that was lost is made anew."""
FAREWELL = 1.0
"""Seconds that closing one may take."""

_logger = logging.getLogger(__name__)


class Voice:
    """Says, once something is committed, that it is: in the transaction itself, commits would wait for one another."""

    def __init__(self, connection: Callable[[], Held]) -> None:
        """`connection` gives one to use for the length of a block."""
        self.name = secrets.token_hex(8)
        """What it signs with, so that its own process, which knows, need not listen to it."""
        self._connection = connection
        self._pace = Pace()
        self._news = False
        self._saying: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    def tell(self) -> None:
        """The other processes hear of it soon."""
        self._news = True
        if self._saying is None:
            self._saying = asyncio.create_task(self._say(), context=apart())

    async def close(self) -> None:
        """What there was to say is said."""
        self._stopped.set()
        if self._saying is not None:
            await self._saying

    async def _say(self) -> None:
        try:
            while self._news:
                if pause := self._pace.wait():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await self._stopped.wait()
                self._news = False
                async with self._connection() as held:
                    await held.connection.execute(f"NOTIFY {CHANNEL}, '{self.name}'")
                self._pace.done()
        except Exception as error:  # noqa: BLE001 - then they see it when they look
            _logger.debug("the other processes could not be told: %s", error)
        finally:
            self._saying = None


class Ear:
    """Hears what other processes say on a connection of its own; a lost one is made anew."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], wake: Callable[[], None], own: str) -> None:
        """`own` is the name of a voice to which it does not listen."""
        self._connect = connect
        self._wake = wake
        self._own = own
        self.hears = False
        """Whether a notice would be heard right now."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Within the block it listens."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except Exception as error:  # noqa: BLE001 - who looks at the database says that it is away
                _logger.debug("notices cannot be heard: %s", error)
            await asyncio.sleep(AWAY)

    async def _hear(self) -> None:
        """Listen until the connection is lost."""
        lost = asyncio.Event()
        connection = await self._connect()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self.hears = True
            self._wake()  # what happened before was not heard
            await lost.wait()
        finally:
            self.hears = False
            with suppress(Exception):
                await connection.close(timeout=FAREWELL)
        self._wake()

    def _heard(self, _connection: object, _pid: int, _channel: str, name: object) -> None:
        if name != self._own:
            self._wake()
