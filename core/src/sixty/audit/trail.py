"""Writing lines. That of a write goes into the write's own transaction; others wait for a moment and go out together.

What waits is bounded in number and time. Should the database be gone, reads are served on and the newest lines kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.audit.redacting import Redactor, clean, without_credentials
from sixty.errors import Unavailable
from sixty.signals.within import apart
from sixty.storage.statements import NEW, Write
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from sixty.audit.entry import Entry
    from sixty.audit.signing import Signer
    from sixty.storage.database import Database

__all__ = ["AuditTrail"]

BATCH = 1_000
"""Lines written at once."""
KEEP = 10_000
"""Lines kept while the database cannot take them; beyond that the oldest are lost, and the log says how many."""
DELAY = 0.5
"""Seconds that a line waits for company."""

_insert = sa.insert(audit)
_logger = logging.getLogger(__name__)


class AuditTrail:
    """Makes the writes of lines, and takes those lines that have no transaction of their own."""

    def __init__(self, database: Database, redactor: Redactor | None = None) -> None:
        self._database = database
        self._redactor = redactor or Redactor()
        self._waiting: deque[Entry] = deque()
        self._flusher: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._last: list[Callable[[], None]] = []
        self.signer: Signer | None = None
        """Signs each line, once the database is known to have a place for that."""
        self.lost = 0
        """Lines that were never written, because the database was away for too long."""
        self.transports: set[str] = set()
        """The transports by which any line of this process came."""

    @property
    def waiting(self) -> int:
        """Lines in memory that wait to be written."""
        return len(self._waiting)

    def write(self, entry: Entry) -> Write:
        """The write that puts a line into the trail, redacted and signed."""
        self.transports.add(entry.transport)
        arguments, message = self._redactor.kept(entry.arguments, entry.message)
        values = {
            "call_id": entry.call_id,
            "at": entry.at,
            "user_id": entry.user_id,
            "tool": without_credentials(entry.tool, 128),
            "effect": entry.effect,
            "outcome": entry.outcome,
            "message": message,
            "arguments": arguments,
            "records": dict(entry.records or (entry.seen if entry.effect == "read" else ())),
            "transport": entry.transport,
            "client": without_credentials(entry.client, 255) if entry.client else None,
            "address": clean(entry.address, 64) if entry.address else None,
            "microseconds": entry.microseconds,
        }
        if self.signer is not None:
            values |= self.signer.signed(values)
        return Write(_insert, values, row=NEW)

    def later(self, entry: Entry) -> None:
        """The line is written within a moment."""
        self.transports.add(entry.transport)
        if len(self._waiting) >= KEEP:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(entry)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush_soon(), context=apart())

    async def flush(self) -> None:
        """Every waiting line is written, or still waiting if the database cannot take it."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._database.apply([self.write(entry) for entry in batch])
            except Exception as error:
                self._waiting.extendleft(reversed(batch))
                _logger.warning(
                    "the audit trail cannot be written; %d lines wait, %d lost",
                    len(self._waiting),
                    self.lost,
                    exc_info=None if isinstance(error, Unavailable) else error,
                )
                return

    async def _flush_soon(self) -> None:
        while self._waiting and not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), DELAY)
            await self.flush()

    def before_the_end(self, tell: Callable[[], None]) -> None:
        """`tell` is called when the trail is closed, and may still put lines into it."""
        self._last.append(tell)

    async def close(self) -> None:
        """Flush for the last time."""
        for tell in self._last:
            tell()
        self._closing.set()
        if self._flusher is not None:
            await self._flusher
        await self.flush()
