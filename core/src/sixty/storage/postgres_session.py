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
        self._seen: list[str | None] = []

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        if statement not in self._telling:
            self._telling[statement] = statement.add_columns(_STATE) if isinstance(statement, sa.Select) else None
        telling = self._telling[statement]
        if telling is None:
            self._seen.append(None)
            return await self._session.rows(statement, values)
        found = await self._session.rows(telling, values)
        self._seen.append(found[0]["sixty_state"] if found else None)
        for row in found:
            del row["sixty_state"]
        return found

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> object:
        is_known = self._seen and self._seen[0] is not None and await self.is_snapshot()
        return self._seen[0] if is_known else object()

    async def is_snapshot(self) -> bool:
        """Whether everything read was of one state.

        A statement without rows tells nothing of its own, and no state ever comes back: so where the first and the
        last tell of the same one, nobody has written between them.
        """
        if len(self._seen) <= 1:
            return True
        if self._seen[0] is not None and self._seen[-1] is None:
            self._seen.append(await self._session.state())
        return self._seen[-1] is not None and len({self._seen[0], *filter(None, self._seen)}) == 1


def _touched(status: str) -> int:
    """The number of rows in a command's status, such as `UPDATE 1`."""
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0
