"""The audit trail: one line for every call, refused ones too.

The line of a write goes into the write's own transaction. Others wait for a moment and go out in batches, bounded
in number and time; should the database be gone, reads are served on and the newest lines are kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.signals.within import apart
from sixty.storage.statements import NEW, Write
from sixty.tables import audit

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.offers import OfferKind
    from sixty.storage.database import Database

__all__ = ["AuditTrail", "Entry", "redacted"]

BATCH = 1_000
"""Lines written at once."""
KEEP = 10_000
"""Lines kept while the database cannot take them; beyond that the oldest are lost, and the log says how many."""
DELAY = 0.5
"""Seconds that a line waits for company."""

_WELL = ("ok", "repeated", "input_required")
_SECRET = ("password", "secret", "token", "api_key", "authorization", "credential")
_LONGEST = 2_000
_DEEPEST = 20
_insert = sa.insert(audit)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One settled call."""

    call_id: str
    at: datetime
    user_id: str | None
    tool: str
    effect: str | None
    outcome: str
    """`ok`, `repeated` (answered again under its idempotency key), or the code of the error."""
    message: str | None
    arguments: Any
    records: Mapping[str, str]
    """The kind of each record that was written, by id."""
    transport: str
    client: str | None
    address: str | None
    microseconds: int
    kind: OfferKind = "tool"
    """What `tool` names."""

    @property
    def is_error(self) -> bool:
        """Whether the call came to an error. An answer that is given again is none, nor is a question to the client."""
        return self.outcome not in _WELL

    def write(self) -> Write:
        """The write that puts the line into the trail."""
        return Write(
            _insert,
            {
                "call_id": self.call_id,
                "at": self.at,
                "user_id": self.user_id,
                "tool": _clean(self.tool, 128),
                "effect": self.effect,
                "outcome": self.outcome,
                "message": _clean(self.message, _LONGEST) if self.message is not None else None,
                "arguments": redacted(self.arguments),
                "records": dict(self.records),
                "transport": self.transport,
                "client": _clean(self.client, 255) if self.client else None,
                "address": _clean(self.address, 64) if self.address else None,
                "microseconds": self.microseconds,
            },
            row=NEW,
        )


def _clean(text: str, longest: int) -> str:
    """The text as every database can store it, at most `longest` characters of it."""
    return text[:longest].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def redacted(value: Any, depth: int = 0) -> Any:
    """A JSON value without secrets, and with what is long or deep cut; what is no JSON value becomes text."""
    if isinstance(value, Mapping | list | tuple):
        return "…" if depth == _DEEPEST else _redacted_parts(value, depth + 1)
    if isinstance(value, str):
        clean = _clean(value, _LONGEST)
        return clean if len(value) <= _LONGEST else f"{clean}… ({len(value)} characters)"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a very large number"
    if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    return _clean(str(value), _LONGEST)


def _redacted_parts(value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> Any:
    if not isinstance(value, Mapping):
        return [redacted(item, depth) for item in value[:200]]
    return {
        _clean(str(name), 200): "[redacted]" if _is_secret(name) else redacted(content, depth)
        for name, content in list(value.items())[:200]
    }


def _is_secret(name: object) -> bool:
    return any(word in str(name).lower() for word in _SECRET)


class AuditTrail:
    """Takes the lines that have no transaction of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._flusher: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many lines wait to be written."""
        return len(self._waiting)

    @property
    def lost(self) -> int:
        """How many were lost, because the database took none for too long."""
        return self._lost

    def later(self, entry: Entry) -> None:
        """The line is written within a moment."""
        if len(self._waiting) >= KEEP:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(entry)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush_soon(), context=apart())

    async def flush(self) -> None:
        """Every waiting line is written, or still waiting if the database cannot take it."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._database.apply([entry.write() for entry in batch])
            except Exception:
                self._waiting.extendleft(reversed(batch))
                _logger.exception(
                    "the audit trail cannot be written; %d lines wait, %d lost", len(self._waiting), self._lost
                )
                return

    async def _flush_soon(self) -> None:
        while self._waiting and not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), DELAY)
            await self.flush()

    async def close(self) -> None:
        """Flush for the last time."""
        self._closing.set()
        if self._flusher is not None:
            await self._flusher
        await self.flush()
