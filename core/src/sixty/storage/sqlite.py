"""SQLite: snapshots read on the event loop, and one thread that writes and commits for whoever is waiting."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from sixty.errors import ConfigError
from sixty.storage.database import StorageUnavailable
from sixty.storage.idle import Idle
from sixty.storage.sqlite_bursts import ready
from sixty.storage.sqlite_connection import outcome, translated
from sixty.storage.sqlite_pinned import Pinned
from sixty.storage.sqlite_reader import Snapshot
from sixty.storage.sqlite_writer import Writer, analyze
from sixty.storage.statements import JSON, Compiler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence

    from sixty.storage.statements import Prepared, Row, Statement, Write

__all__ = ["SqliteDatabase"]

READERS = 32
"""Snapshots open at once at the most; further ones wait."""

_logger = logging.getLogger(__name__)
_NOTHING: dict[str, Any] = {}


class _Deaf:
    """A file calls nobody."""

    hears = False


def _scrub(connection: sqlite3.Connection) -> None:
    """Write the whole file anew, and empty the log beside it."""
    # an index of words keeps those of rows that have gone until it is made anew
    for name in [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%USING fts5%'")]:
        connection.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')").close()  # noqa: S608 - a table of ours
    connection.execute("VACUUM").close()
    (blocked, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if blocked:
        raise StorageUnavailable("somebody is reading, and so the log beside it cannot be emptied")


class SqliteDatabase:
    """One SQLite file. The file is made when missing; its folder must exist."""

    dialect_name = "sqlite"

    _compiler = Compiler(sqlite_dialect(paramstyle="qmark", **JSON))  # of all files, because to compile takes long

    def __init__(self, url: str) -> None:
        path = sa.make_url(url).database
        if not path or path == ":memory:":
            msg = "SIXTY_DATABASE_URL must name a file, for example sqlite+aiosqlite:///sixty.db"
            raise ConfigError(msg)
        self._path = path
        self._slow: WeakKeyDictionary[Prepared, int] = WeakKeyDictionary()
        self._free: Idle[Snapshot] = Idle(Snapshot.close)
        try:
            self._free.put(Snapshot(path, self._compiler, self._slow))
        except sqlite3.Error as error:
            msg = f"the database file {path} cannot be opened: {error}"
            raise StorageUnavailable(msg) from error
        self._readers = asyncio.Semaphore(READERS)
        self._writer = Writer(path)
        self._onlooker: Snapshot | None = None

    @property
    def connections(self) -> Mapping[str, int]:
        return {}

    def sql(self, statement: Statement) -> str:
        return self._compiler.prepare(statement).sql

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        reader = await self._take()
        try:
            return await reader.rows(statement, values)
        finally:
            self._give_back(reader)

    async def shared(self, statement: Statement) -> list[Row]:
        return await self.rows(statement)  # it never waits, so there is nobody to share with

    @asynccontextmanager
    async def snapshot(self, *, hope: str | None = None) -> AsyncIterator[Snapshot]:  # noqa: ARG002 - it costs nothing
        reader = await self._take()
        try:
            reader.begin()
            try:
                yield reader
            finally:
                reader.end()
        finally:
            self._give_back(reader)

    async def _take(self) -> Snapshot:
        await self._readers.acquire()
        try:
            reader = self._free.take() or self._snapshot()
        except BaseException:
            self._readers.release()
            raise
        reader.take()
        return reader

    def _snapshot(self) -> Snapshot:
        try:
            return Snapshot(self._path, self._compiler, self._slow)
        except sqlite3.Error as error:
            raise translated(error) from error

    def _give_back(self, reader: Snapshot) -> None:
        self._free.put(reader)
        self._readers.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Pinned]:
        pinned = Pinned(self._compiler)
        turn = self._writer.submit(alone=pinned.serve)
        try:
            await asyncio.wait((turn, pinned.begun), return_when=asyncio.FIRST_COMPLETED)
            if turn.done():
                await turn
            yield pinned
            pinned.commit = True
        finally:
            pinned.end()
            await outcome(turn)

    async def look(self, statement: Statement, since: Hashable) -> tuple[Hashable, list[Row] | None]:
        if self._onlooker is None:  # always the same one, because each connection counts by itself
            self._onlooker = self._snapshot()
        state = await self._onlooker.state()
        return state, None if state == since else await self.rows(statement)

    @asynccontextmanager
    async def listening(self, wake: Callable[[], None]) -> AsyncIterator[_Deaf]:  # noqa: ARG002 - nobody could call it
        yield _Deaf()

    async def apply(self, writes: Sequence[Write]) -> None:
        await outcome(self._writer.submit(ready(self._compiler, writes)))

    async def analyze(self) -> None:
        await outcome(self._writer.submit(alone=analyze))

    async def scrub(self) -> bool:
        try:
            await outcome(self._writer.submit(alone=_scrub))
        except StorageUnavailable as error:
            _logger.warning("the file still has what was deleted: %s", error)
            return False
        return True

    async def close(self) -> None:
        await self._writer.close()
        if self._onlooker is not None:
            self._onlooker.close()
        for reader in self._free.take_all():
            reader.close()
