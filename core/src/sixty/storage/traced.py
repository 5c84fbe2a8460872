"""A database whose statements are spans. It is put around the real one only where traces are collected."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from sixty.signals.tracing import Tracing
    from sixty.storage.database import Database, Ear, Reader, Transaction
    from sixty.storage.statements import Row, Statement, Write

__all__ = ["TracedDatabase"]

_NOTHING: Mapping[str, Any] = {}
_T = TypeVar("_T")


class _Statements:
    """Makes the spans of one database, with its SQL and without values."""

    def __init__(self, database: Database, tracing: Tracing) -> None:
        self._database = database
        self._tracing = tracing

    async def one(self, statement: Statement, run: Callable[[], Awaitable[_T]]) -> _T:
        """What a statement gives."""
        if not self._tracing.is_recording:
            return await run()
        with self._tracing.statement(self._database.dialect_name, self._database.sql(statement)):
            return await run()

    async def burst(self, writes: Sequence[Write], run: Callable[[], Awaitable[None]]) -> None:
        """A burst, as one span that has each of its statements once."""
        if not self._tracing.is_recording or not writes:
            return await run()
        texts = dict.fromkeys(self._database.sql(write.statement) for write in writes)
        with self._tracing.statement(self._database.dialect_name, ";\n".join(texts), len(writes)):
            return await run()


class _Reader:
    """A reader, or a transaction, that is traced."""

    def __init__(self, inner: Any, statements: _Statements) -> None:
        self._inner = inner
        self._statements = statements

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        return await self._statements.one(statement, partial(self._inner.rows, statement, values))

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        return await self._statements.one(statement, partial(self._inner.row, statement, values))

    async def execute(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> int:
        return await self._statements.one(statement, partial(self._inner.execute, statement, values))

    async def apply(self, writes: Sequence[Write]) -> None:
        await self._statements.burst(writes, partial(self._inner.apply, writes))

    async def state(self) -> Hashable:
        seen: Hashable = await self._inner.state()
        return seen


class TracedDatabase:
    """The same database, told of by spans. What runs outside a span is not told of."""

    def __init__(self, database: Database, tracing: Tracing) -> None:
        self._database = database
        self._statements = _Statements(database, tracing)
        self.dialect_name = database.dialect_name

    @property
    def connections(self) -> Mapping[str, int]:
        return self._database.connections

    def sql(self, statement: Statement) -> str:
        return self._database.sql(statement)

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        return await self._statements.one(statement, partial(self._database.rows, statement, values))

    async def shared(self, statement: Statement) -> list[Row]:
        return await self._statements.one(statement, partial(self._database.shared, statement))

    @asynccontextmanager
    async def snapshot(self, *, hope: str | None = None) -> AsyncIterator[Reader]:
        async with self._database.snapshot(hope=hope) as reader:
            yield _Reader(reader, self._statements)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._database.transaction() as transaction:
            yield _Reader(transaction, self._statements)

    async def look(self, statement: Statement, since: Hashable) -> tuple[Hashable, list[Row] | None]:
        return await self._database.look(statement, since)

    async def apply(self, writes: Sequence[Write]) -> None:
        await self._statements.burst(writes, partial(self._database.apply, writes))

    def listening(self, wake: Callable[[], None]) -> AbstractAsyncContextManager[Ear]:
        return self._database.listening(wake)

    async def analyze(self) -> None:
        await self._database.analyze()

    async def scrub(self) -> bool:
        return await self._database.scrub()

    async def close(self) -> None:
        await self._database.close()
