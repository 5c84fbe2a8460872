"""One connection to Postgres, read through: inside a transaction, or without one."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.storage.database import StaleWrite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from weakref import WeakKeyDictionary

    from sixty.storage.postgres_connections import Held
    from sixty.storage.statements import Compiler, Row, Statement, Write

__all__ = ["Observer", "Session"]

_NOTHING: dict[str, Any] = {}
_STATE = sa.cast(sa.func.pg_current_snapshot(), sa.Text).label("sixty_state")


class Session:
    """One connection inside a transaction."""

    def __init__(self, held: Held, compiler: Compiler) -> None:
        self._held = held
        self._connection = held.connection
        self._compiler = compiler

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        prepared = self._compiler.prepare(statement)
        try:
            return prepared.rows(await self._connection.fetch(prepared.sql, *prepared.arguments(values)))
        except BaseException as error:
            self._held.failed(error)
            raise

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> str:
        try:
            # text, because the driver knows no type for a snapshot
            return str(await self._connection.fetchval("SELECT pg_current_snapshot()::text"))
        except BaseException as error:
            self._held.failed(error)
            raise

    async def execute(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> int:
        prepared = self._compiler.prepare(statement)
        try:
            return _touched(await self._connection.execute(prepared.sql, *prepared.arguments(values)))
        except BaseException as error:
            self._held.failed(error)
            raise

    async def apply(self, writes: Sequence[Write]) -> None:
        for (statement, expect), same in groupby(writes, attrgetter("statement", "expect")):
            if expect is None:
                await self._execute_all(statement, [write.values for write in same])
                continue
            for write in same:
                if await self.execute(statement, write.values) != expect:
                    raise StaleWrite(str(statement))

    async def _execute_all(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> None:
        prepared = self._compiler.prepare(statement)
        try:
            await self._connection.executemany(prepared.sql, [prepared.arguments(each) for each in values])
        except BaseException as error:
            self._held.failed(error)
            raise


class Observer:
    """Reads without a transaction. Each statement tells which state of the database it saw.

    Where all of them saw the same one, they are as good as a transaction that would have cost two round trips more.
    """

    def __init__(self, session: Session, telling: WeakKeyDictionary[Statement, Statement | None]) -> None:
        self._session = session
        self._telling = telling
        self._asked = 0
        self._seen: list[str] = []

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        self._asked += 1
        if statement not in self._telling:
            self._telling[statement] = statement.add_columns(_STATE) if isinstance(statement, sa.Select) else None
        telling = self._telling[statement]
        if telling is None:
            return await self._session.rows(statement, values)
        found = await self._session.rows(telling, values)
        if found:
            self._seen.append(found[0]["sixty_state"])
        for row in found:
            del row["sixty_state"]
        return found

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> object:
        return self._seen[0] if self._seen and self.is_snapshot else object()

    @property
    def is_snapshot(self) -> bool:
        """Whether everything read was of one state; a statement without rows tells nothing of its own."""
        return self._asked <= 1 or (self._asked == len(self._seen) and len(set(self._seen)) == 1)


def _touched(status: str) -> int:
    """The number of rows in a command's status, such as `UPDATE 1`."""
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0
