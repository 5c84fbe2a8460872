"""A transaction of one call on SQLite: the writer thread serves it alone until it ends."""

from __future__ import annotations

import asyncio
import queue
from typing import TYPE_CHECKING, Any, TypeVar

from sixty.storage.database import StorageUnavailable
from sixty.storage.sqlite_bursts import ready, write
from sixty.storage.sqlite_connection import begin, fetch, translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from sixty.storage.statements import Compiler, Row, Statement, Write

__all__ = ["Pinned"]

UNDONE = "the database has undone this, because its disk is full or fails; try again later"
_T = TypeVar("_T")
_NOTHING: dict[str, Any] = {}


class Pinned:
    """A transaction of one call: the writer thread serves it alone until it ends."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._commands: queue.SimpleQueue[Callable[[sqlite3.Connection], Any] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self.commit = False

    def serve(self, connection: sqlite3.Connection) -> None:
        """Run commands until the transaction ends; called on the writer thread."""
        begin(connection)
        self._loop.call_soon_threadsafe(self._begin)
        while (command := self._commands.get()) is not None:
            command(connection)
        if connection.in_transaction:
            connection.execute("COMMIT" if self.commit else "ROLLBACK")
        elif self.commit:
            raise StorageUnavailable(UNDONE)

    def _begin(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)

    def end(self) -> None:
        """Let the writer thread go on."""
        self._commands.put(None)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        future: asyncio.Future[_T] = self._loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if not future.done():
                future.set_exception(error) if error is not None else future.set_result(result)

        def command(connection: sqlite3.Connection) -> None:
            try:
                if not connection.in_transaction:
                    raise StorageUnavailable(UNDONE)  # noqa: TRY301 - as any other error, it is handed over
                self._loop.call_soon_threadsafe(settle, work(connection), None)
            except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
                self._loop.call_soon_threadsafe(settle, None, translated(error))

        self._commands.put(command)
        return await future

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        prepared = self._compiler.prepare(statement)
        return await self._run(lambda connection: fetch(connection, prepared, values))

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> object:
        return object()  # it writes

    async def execute(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> int:
        prepared = self._compiler.prepare(statement)
        arguments = prepared.arguments(values)
        return await self._run(lambda connection: connection.execute(prepared.sql, arguments).rowcount)

    async def apply(self, writes: Sequence[Write]) -> None:
        burst = ready(self._compiler, writes)
        await self._run(lambda connection: write(connection, burst))
