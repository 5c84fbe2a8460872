"""The unit of work: one snapshot to read, one burst to write.

Writes are collected and go out together at the end. Whoever reads by a statement after writing gets a
transaction of its own (`pinned`), into which what was collected so far is put first, so that reads always see
the writes before them.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Mapping
    from types import TracebackType

    from sixty.storage.database import Database, Reader, Transaction
    from sixty.storage.statements import Row, Statement, Write

__all__ = ["UnitOfWork"]

_NOTHING: dict[str, Any] = {}


@lru_cache
def _command(what: str, depth: int) -> sa.TextClause:
    """A command about the savepoint at this depth."""
    return sa.text(f"{what} sixty_{depth}")


@dataclass(slots=True)
class _Savepoint:
    """Where a unit of work stood."""

    depth: int
    writes: int
    """How many writes were collected and not yet put into the database."""
    wrote: bool
    known: dict[tuple[str, str], Row | None]
    afterwards: int
    """How many were to be told after the commit."""
    is_set: bool = False
    """Whether the database knows of it."""


class _Abandoned(Exception):
    """Ends a pinned transaction that was not committed."""


class UnitOfWork:
    """All that one transaction reads and writes. Use as an async context manager; what is not committed is gone."""

    def __init__(self, database: Database, *, hope: str | None = None) -> None:
        """A unit with a `hope` may raise `StaleWrite` at its end although it has written nothing: begin again."""
        self._database = database
        self._hope = hope
        self._reading = AsyncExitStack()
        self._pinning = AsyncExitStack()
        self._reader: Reader | None = None
        self._pinned: Transaction | None = None
        self._writes: list[Write] = []
        self._savepoints: list[_Savepoint] = []
        self._afterwards: dict[Callable[[], None], None] = {}
        self._found: dict[tuple[Statement, str], Row | None] = {}
        self.wrote = False
        self.known: dict[tuple[str, str], Row | None] = {}
        """Rows as this unit has left them, by table and id; None for one that is gone."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pinned is not None:
            with suppress(_Abandoned):  # not committed: the transaction must end by an exception
                await self._pinning.__aexit__(_Abandoned, _Abandoned(), None)
        elif kind is not None and not issubclass(kind, Exception):  # a cancellation stays one, and asks nothing more
            await self._reading.__aexit__(kind, error, traceback)
        else:
            await self._stop_reading()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What the block writes is gone again if it raises."""
        savepoint = _Savepoint(
            len(self._savepoints), len(self._writes), self.wrote, dict(self.known), len(self._afterwards)
        )
        self._savepoints.append(savepoint)
        try:
            if self._pinned is not None:
                await self._set_savepoints(self._pinned)
            yield
            if savepoint.is_set and self._pinned is not None:
                await self._pinned.execute(_command("RELEASE SAVEPOINT", savepoint.depth))
        except Exception:
            await self._return_to(savepoint)
            raise
        finally:
            self._savepoints.remove(savepoint)

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """All rows of a select, with everything that this unit has written so far."""
        if self._writes or self._pinned is not None:
            transaction = await self._pin()
            return await transaction.rows(statement, values)
        return await self.before(statement, values)

    async def before(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """All rows of a select, as they were before this unit wrote anything; for what it cannot have written."""
        if self._pinned is not None:
            return await self._pinned.rows(statement, values)
        if self._reader is None:
            self._reader = await self._reading.enter_async_context(self._database.snapshot(hope=self._hope))
        return await self._reader.rows(statement, values)

    async def before_of(self, statement: Statement, key: str) -> Row | None:
        """The row of a select with this `key`, as it was before this unit wrote anything; a copy each time.

        A snapshot stays as it is, so it is asked once.
        """
        if self._pinned is not None:
            return await self._pinned.row(statement, {"key": key})
        if (statement, key) not in self._found:
            rows = await self.before(statement, {"key": key})
            self._found[statement, key] = rows[0] if rows else None
        row = self._found[statement, key]
        return None if row is None else dict(row)

    async def state(self) -> Hashable | None:
        """A value that is the same only as long as nobody writes anything; None once this unit has written."""
        return None if self.wrote or self._reader is None else await self._reader.state()

    def write(self, write: Write) -> None:
        """Collect a write."""
        self._writes.append(write)
        self.wrote = True

    def afterwards(self, tell: Callable[[], None]) -> None:
        """Once it is committed, `tell` is called, once however often it was asked for."""
        self._afterwards[tell] = None

    async def commit(self) -> None:
        """Everything written is durable. Raises what `Database.apply` raises; then nothing was written."""
        await self._commit()
        for tell in self._afterwards:
            tell()

    async def _commit(self) -> None:
        if self._pinned is not None:
            await self._pinned.apply(self._take())
            self._pinned = None
            await self._pinning.aclose()
            return
        await self._stop_reading()
        if self._writes:
            await self._database.apply(self._take())

    async def _stop_reading(self) -> None:
        """Let go of the snapshot. `StaleWrite` if it was a hopeful one, and its hope was vain."""
        self._reader = None
        await self._reading.aclose()

    async def _pin(self) -> Transaction:
        if self._pinned is None:
            await self._stop_reading()
            self._pinned = await self._pinning.enter_async_context(self._database.transaction())
            await self._set_savepoints(self._pinned)
        if self._writes:
            await self._pinned.apply(self._take())
        return self._pinned

    async def _set_savepoints(self, transaction: Transaction) -> None:
        """Put in what was written before each savepoint, and let the database remember the place."""
        done = 0
        for savepoint in self._savepoints:
            if not savepoint.is_set:
                count = savepoint.writes - done
                before, self._writes = self._writes[:count], self._writes[count:]
                done = savepoint.writes
                await transaction.apply(before)
                await transaction.execute(_command("SAVEPOINT", savepoint.depth))
                savepoint.is_set = True

    async def _return_to(self, savepoint: _Savepoint) -> None:
        """Everything is as it was at the savepoint."""
        if savepoint.is_set and self._pinned is not None:
            self._writes.clear()
            for what in ("ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"):
                await self._pinned.execute(_command(what, savepoint.depth))
        else:
            del self._writes[savepoint.writes :]
        self.wrote, self.known = savepoint.wrote, savepoint.known
        for tell in list(self._afterwards)[savepoint.afterwards :]:
            del self._afterwards[tell]

    def _take(self) -> list[Write]:
        writes, self._writes = self._writes, []
        return writes
