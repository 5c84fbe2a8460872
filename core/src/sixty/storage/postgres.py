"""Postgres: snapshots are repeatable reads; a burst is one transaction on a pooled connection."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from asyncpg import exceptions as pg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from sixty.signals.within import apart
from sixty.storage.database import OutcomeUnknown, StaleWrite, StorageUnavailable
from sixty.storage.hopes import Hopes
from sixty.storage.notices import Ear, Voice
from sixty.storage.postgres_connections import BROKEN, Connections, raise_translated
from sixty.storage.postgres_session import Observer, Session
from sixty.storage.statements import JSON, NEW, Compiler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence

    from sixty.storage.statements import Row, Statement, Write

__all__ = ["PostgresDatabase", "driver_address"]

TOGETHER = 40
"""Writes that are put into one statement at the most."""
ANALYZING = 300.0
"""Seconds that statistics may take."""

_NOTHING: dict[str, Any] = {}
_PLACEHOLDER = re.compile(r"\$(\d+)")


def driver_address(url: str) -> str:
    """The same Postgres database as its driver names it, with a password that is in the address."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _alike(writes: Sequence[Write]) -> bool:
    """Whether all writes are one statement, and may touch any number of rows."""
    return len({write.statement for write in writes}) == 1 and all(write.expect is None for write in writes)


def _independent(writes: Sequence[Write]) -> bool:
    """Whether no two of the writes touch the same row, so that their order does not matter."""
    rows = [write.row for write in writes if write.row != NEW]
    return None not in rows and len(set(rows)) == len(rows)


@lru_cache(maxsize=1024)
def _combined(parts: tuple[tuple[str, int, int | None], ...]) -> str:
    """One statement that does what all the parts do.

    Postgres checks foreign keys when the whole statement is done. Where a part must touch a number of rows and
    touches another, the statement divides by zero, and so is undone as a whole.
    """
    writes, checks, before = [], ["1"], 0
    for position, (sql, count, expect) in enumerate(parts):
        writes.append(f"w{position} AS ({_shifted(sql, before)} RETURNING 1)")
        if expect is not None:
            touched = f"(SELECT count(*) FROM w{position})"  # noqa: S608 - a name made here
            checks.append(f"1 / (CASE WHEN {touched} = {expect} THEN 1 ELSE 0 END)")
        before += count
    return f"WITH {', '.join(writes)} SELECT {', '.join(checks)}"


def _shifted(sql: str, by: int) -> str:
    """The same SQL with each placeholder's number greater by `by`."""
    return _PLACEHOLDER.sub(lambda match: f"${int(match[1]) + by}", sql)


class PostgresDatabase:
    """One Postgres database, through a few connections."""

    dialect_name = "postgresql"

    # of all databases, because to compile takes long
    _compiler = Compiler(asyncpg_dialect(**JSON))  # type: ignore[no-untyped-call]
    _telling: ClassVar[WeakKeyDictionary[Statement, Statement | None]] = WeakKeyDictionary()

    def __init__(self, url: str) -> None:
        self._connections = Connections(driver_address(url))
        self._hopes = Hopes()
        self._next_reads: dict[Statement, asyncio.Task[list[Row]]] = {}
        self._reads: set[asyncio.Task[list[Row]]] = set()
        self._voice = Voice(self._connections.one)
        self._wakes: list[Callable[[], None]] = []
        self._turns: defaultdict[Statement, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    async def open(cls, url: str) -> PostgresDatabase:
        """The database at `url`. A first connection is made here, so that a wrong address shows at once."""
        database = cls(url)
        async with database._connections.one():
            return database

    @property
    def connections(self) -> Mapping[str, int]:
        return self._connections.states

    def sql(self, statement: Statement) -> str:
        return self._compiler.prepare(statement).sql

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        async with self._connections.one() as held:
            return await Session(held, self._compiler).rows(statement, values)

    async def shared(self, statement: Statement) -> list[Row]:
        read = self._next_reads.get(statement)
        if read is None:
            read = self._next_reads[statement] = asyncio.create_task(self._read_next(statement), context=apart())
            self._reads.add(read)
            read.add_done_callback(self._reads.discard)
        return await asyncio.shield(read)

    async def _read_next(self, statement: Statement) -> list[Row]:
        async with self._turns[statement]:
            del self._next_reads[statement]  # this read begins now: who comes later needs another
            return await self.rows(statement)

    @asynccontextmanager
    async def _session(self, begin: str) -> AsyncIterator[Session]:
        async with self._connections.one() as held:
            await _run(held.connection, begin)
            try:
                yield Session(held, self._compiler)
            except BaseException:
                with suppress(StorageUnavailable):  # then it is gone, too
                    await _run(held.connection, "ROLLBACK")
                raise
            try:
                await _run(held.connection, "COMMIT")
            except StorageUnavailable as error:
                if isinstance(error.__cause__, BROKEN):
                    raise OutcomeUnknown from error.__cause__
                raise

    @asynccontextmanager
    async def snapshot(self, *, hope: str | None = None) -> AsyncIterator[Session | Observer]:
        if hope is None or not self._hopes.allow(hope):
            async with self._session("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as session:
                yield session
            return
        async with self._connections.one() as held:
            observer = Observer(Session(held, self._compiler), self._telling)
            yield observer
            is_snapshot = await observer.is_snapshot()
        if not is_snapshot:
            self._hopes.was_vain(hope)
            raise StaleWrite("the database changed between two statements")
        self._hopes.came_true(hope)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with self._session("BEGIN") as session:
            yield session
        self._tell()

    async def look(self, statement: Statement, since: Hashable) -> tuple[Hashable, list[Row] | None]:
        async with self._connections.one() as held:
            observer = Observer(Session(held, self._compiler), self._telling)
            rows, state = await observer.rows(statement), await observer.state()
        return state, None if state == since else rows

    async def apply(self, writes: Sequence[Write]) -> None:
        if _alike(writes):
            prepared = self._compiler.prepare(writes[0].statement)
            async with self._burst() as connection:
                await connection.executemany(prepared.sql, [prepared.arguments(write.values) for write in writes])
        elif len(writes) <= TOGETHER and _independent(writes):
            await self._together(writes)
        else:
            async with self.transaction() as session:
                await session.apply(writes)

    async def _together(self, writes: Sequence[Write]) -> None:
        """Run independent writes as one statement, which is one round trip and its own transaction."""
        prepared = [self._compiler.prepare(write.statement) for write in writes]
        sql = _combined(
            tuple((ready.sql, len(ready.binds), write.expect) for ready, write in zip(prepared, writes, strict=True))
        )
        arguments = [
            value for ready, write in zip(prepared, writes, strict=True) for value in ready.arguments(write.values)
        ]
        async with self._burst() as connection:
            try:
                await connection.fetch(sql, *arguments)
            except pg.DivisionByZeroError as error:
                raise StaleWrite(sql) from error

    @asynccontextmanager
    async def _burst(self) -> AsyncIterator[Any]:
        """A connection for what is asked once, and is its own transaction."""
        async with self._connections.one() as held:
            try:
                yield held.connection
            except BROKEN as error:
                raise OutcomeUnknown from error
            except Exception as error:
                raise_translated(error)
                raise
        self._tell()

    def _tell(self) -> None:
        """Whoever listens, here and elsewhere, hears that something was committed."""
        for wake in self._wakes:
            wake()
        self._voice.tell()

    @asynccontextmanager
    async def listening(self, wake: Callable[[], None]) -> AsyncIterator[Ear]:
        ear = Ear(self._connections.connect, wake, self._voice.name)
        self._wakes.append(wake)
        try:
            async with ear.listening():
                yield ear
        finally:
            self._wakes.remove(wake)

    async def analyze(self) -> None:
        async with self._connections.one() as held:
            try:
                await held.connection.execute("ANALYZE", timeout=ANALYZING)
            except Exception as error:
                raise_translated(error)
                raise

    async def scrub(self) -> bool:
        return False  # its files are the server's, and VACUUM FULL would stop everybody

    async def close(self) -> None:
        await self._voice.close()
        if self._reads:  # whoever asked may be gone
            await asyncio.wait(self._reads)
        await self._connections.close()


async def _run(connection: Any, command: str) -> None:
    """Begin or end a transaction. A connection on which that failed or was cancelled is not used again."""
    try:
        await connection.execute(command)
    except BaseException as error:
        connection.terminate()
        raise_translated(error)
        raise
