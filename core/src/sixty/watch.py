"""The watch: one task that looks at the database, and tells observers what may have changed.

It is how a process hears of what others do. Where the database says that somebody has written, it looks at once; and
it looks from time to time without being told, so that nothing depends on that. Nothing that is committed is missed:
what is seen late is told late.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from sixty.counters import COUNTERS, counters_in
from sixty.outage import Outage
from sixty.pace import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable

    from sixty.host import Host

__all__ = ["Observer", "Watch"]

EVERY = 0.25
"""Seconds between two looks, where nobody says when to look."""
SELDOM = 1.0
"""The same, while somebody does."""

_logger = logging.getLogger(__name__)


class Observer(Protocol):
    """Whoever wants to be told. Each call may stand for many changes, and for none that this observer can see."""

    async def lists_may_have_changed(self) -> None:
        """Packs have come or gone, or somebody's role, grants or keys have changed."""

    async def records_may_have_changed(self) -> None:
        """Somebody, in whatever process, has written."""


class _Audience:
    """One observer, told in a task of its own: one that is slow keeps nobody else waiting."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._due = asyncio.Event()
        self._lists = self._records = False
        self.task = asyncio.create_task(self._tell())

    def tell(self, *, lists: bool = False, records: bool = False) -> None:
        """It will be told soon, once of all that happens until then."""
        self._lists, self._records = self._lists or lists, self._records or records
        self._due.set()

    async def _tell(self) -> None:
        while await self._due.wait():
            self._due.clear()
            lists, records = self._lists, self._records
            self._lists = self._records = False
            try:
                if lists:
                    await self._observer.lists_may_have_changed()
                if records:
                    await self._observer.records_may_have_changed()
            except Exception:
                _logger.exception("an observer failed")


class Watch:
    """What one host watches, as long as anybody wants to know."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._audiences: list[_Audience] = []
        self._task: asyncio.Task[None] | None = None
        self._state: Hashable = None
        self._identity: int | None = None
        self._looked = asyncio.Event()
        self._woken = asyncio.Event()
        self._outage = Outage(
            _logger, "the database cannot be watched; it is tried again", "the database can be watched again"
        )

    @property
    def answers(self) -> bool:
        """Whether the database answered when it was last looked at."""
        return not self._outage.lasts

    @asynccontextmanager
    async def watching(self, observer: Observer) -> AsyncIterator[None]:
        """Within the block, `observer` is told of what is committed from its beginning on."""
        audience = _Audience(observer)
        self._audiences.append(audience)
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._watch())
            await self._looked.wait()
            yield
        finally:
            self._audiences.remove(audience)
            await _end(audience.task)
            if not self._audiences and self._task is not None:
                task, self._task, self._state = self._task, None, None
                self._looked.clear()
                await _end(task)

    def lists_changed(self) -> None:
        """Tell everybody at once: it has happened here."""
        for audience in self._audiences:
            audience.tell(lists=True)

    async def _watch(self) -> None:
        pace = Pace()
        async with self._host.database.listening(self._woken.set) as ear:
            while True:
                self._woken.clear()
                with self._outage.survived():
                    await self._look()
                pace.done()
                self._looked.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(SELDOM if ear.hears and not self._outage.lasts else EVERY):
                        await self._woken.wait()
                await asyncio.sleep(pace.wait())

    async def _look(self) -> None:
        """See whether anybody has written, and only then what; the first look only remembers what there is."""
        host = self._host
        state, found = await host.database.look(COUNTERS, self._state)
        if found is not None:
            counters = counters_in(found)
            host.identity.notice(counters)
            if self._looked.is_set():
                for audience in self._audiences:
                    audience.tell(lists=counters.identity != self._identity, records=True)
            self._state, self._identity = state, counters.identity
        if host.behind:
            host.lineup.follow()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
