"""Postgres: snapshots are repeatable reads; a burst is one transaction on a pooled connection."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections import Counter, defaultdict
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import asyncpg
import orjson
import sqlalchemy as sa
from asyncpg import exceptions as pg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from sixty.signals.within import apart
from sixty.storage.database import IntegrityViolation, OutcomeUnknown, StaleWrite, StorageUnavailable
from sixty.storage.liveness import Liveness
from sixty.storage.notices import Ear, Voice
from sixty.storage.statements import JSON, NEW, Compiler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from sixty.storage.statements import Row, Statement, Write

__all__ = ["PostgresDatabase", "driver_address"]

CONNECTIONS = 16
"""Connections of one process at the most; further callers wait."""
WARY = 20
"""Snapshots of a name without hope, after one whose hope was vain: so little is read twice under many writes."""
TOGETHER = 40
"""Writes that are put into one statement at the most."""
ANALYZING = 300.0
"""Seconds that statistics may take."""
PATIENCE = 10.0
"""Seconds that a caller waits for a connection, or for somebody else's lock."""
CONNECTING = 3.0
"""Seconds that a new connection may take."""
ABANDONED = 300.0
"""Seconds after which the server ends a transaction in which nothing happens: whoever began it hangs."""
QUIET = 20
"""Seconds after which either side sees whether the other is still there."""
UNACKNOWLEDGED = 10.0
"""Seconds after which what was sent and not received ends a connection, on either side."""

_NOTHING: dict[str, Any] = {}
_STATE = sa.cast(sa.func.pg_current_snapshot(), sa.Text).label("sixty_state")
_PLACEHOLDER = re.compile(r"\$(\d+)")
_BROKEN = (OSError, TimeoutError, pg.InterfaceError, pg.InternalClientError, pg.PostgresConnectionError)
"""The connection was cut, maybe in the midst of something."""
_SETTINGS = {
    "timezone": "UTC",
    # to compile a statement takes some 40 ms, and few statements here take as long
    "jit": "off",
    # in milliseconds, but for the last, which is in seconds
    "lock_timeout": f"{PATIENCE * 1000:.0f}",
    "idle_in_transaction_session_timeout": f"{ABANDONED * 1000:.0f}",
    "tcp_user_timeout": f"{UNACKNOWLEDGED * 1000:.0f}",
    "tcp_keepalives_idle": f"{QUIET}",
}


def driver_address(url: str) -> str:
    """The same Postgres database as its driver names it, with a password that is in the address."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _translated(error: Exception) -> Exception:
    if isinstance(error, pg.IntegrityConstraintViolationError):
        return IntegrityViolation(f"{error} ({error.constraint_name})")
    if isinstance(error, pg.SerializationError | pg.DeadlockDetectedError | pg.InvalidCachedStatementError):
        return StaleWrite(str(error))
    if isinstance(
        error,
        (
            *_BROKEN,
            pg.InsufficientResourcesError,
            pg.OperatorInterventionError,
            pg.LockNotAvailableError,
            pg.IdleInTransactionSessionTimeoutError,
            pg.InvalidAuthorizationSpecificationError,
            pg.InvalidCatalogNameError,
            pg.ReadOnlySQLTransactionError,
        ),
    ):
        return StorageUnavailable("the database is not available; try again later")
    return error


class _Session:
    """One connection inside a transaction."""

    def __init__(self, connection: Any, compiler: Compiler) -> None:
        self._connection = connection
        self._compiler = compiler

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        prepared = self._compiler.prepare(statement)
        try:
            return prepared.rows(await self._connection.fetch(prepared.sql, *prepared.arguments(values)))
        except Exception as error:
            raise _translated(error) from error

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> str:
        try:
            # text, because the driver knows no type for a snapshot
            return str(await self._connection.fetchval("SELECT pg_current_snapshot()::text"))
        except Exception as error:
            raise _translated(error) from error

    async def execute(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> int:
        prepared = self._compiler.prepare(statement)
        try:
            return _touched(await self._connection.execute(prepared.sql, *prepared.arguments(values)))
        except Exception as error:
            raise _translated(error) from error

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
        except Exception as error:
            raise _translated(error) from error


class _Observer:
    """Reads without a transaction. Each statement tells which state of the database it saw.

    Where all of them saw the same one, they are as good as a transaction that would have cost two round trips more.
    """

    def __init__(self, session: _Session, telling: WeakKeyDictionary[Statement, Statement | None]) -> None:
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


class _Connections:
    """Open connections, kept for whoever comes next. Nobody changes their session, so none is reset."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._free: list[Any] = []
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._liveness = Liveness(self._answers, _terminate)
        self._made: WeakSet[Any] = WeakSet()

    @property
    def states(self) -> Mapping[str, int]:
        """How many are in somebody's hands, and how many wait for somebody."""
        return {"busy": self._liveness.out, "idle": len(self._free)}

    async def take(self) -> Any:
        """A connection of one's own; it must be given back."""
        try:
            if self._places.locked():
                await asyncio.wait_for(self._places.acquire(), PATIENCE)
            else:
                await self._places.acquire()
        except TimeoutError as error:
            raise _translated(error) from error
        try:
            connection = self._open() or await self.connect()
        except BaseException as error:
            self._places.release()
            raise (_translated(error) if isinstance(error, Exception) else error) from error
        self._liveness.begin(connection)
        return connection

    def give_back(self, connection: Any) -> None:
        """Let the next one have it."""
        self._liveness.end(connection)
        if not connection.is_closed():
            self._free.append(connection)
        self._places.release()

    async def close(self) -> None:
        """Close those that nobody uses, and wait until the server has been told of what was cancelled on any."""
        await self._liveness.close()
        await asyncio.gather(*map(_close, self._free))
        self._free.clear()
        telling = [task for connection in self._made for task in connection._cancellations]  # noqa: SLF001 - it waits for them nowhere
        if telling:
            await asyncio.wait(telling, timeout=CONNECTING)

    def _open(self) -> Any | None:
        """One that nobody uses, as far as is known; those of a server that does not answer are dropped."""
        if self._liveness.lost:
            for connection in self._free:
                connection.terminate()
            self._free.clear()
            raise TimeoutError
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _answers(self) -> bool:
        """Whether the server says anything to who comes anew, if only that it cannot take them."""
        try:
            connection = await self.connect()
        except pg.PostgresError:
            return True
        except _BROKEN:
            return False
        await _close(connection)
        return True

    async def connect(self) -> Any:
        """A connection that is nobody else's, and not given back."""
        async with asyncio.timeout(CONNECTING):
            connection = await asyncpg.connect(self._address, statement_cache_size=1024, server_settings=_SETTINGS)
            self._made.add(connection)
            try:
                _limit_silence(connection)
                for name in ("json", "jsonb"):  # SQLAlchemy's type has made text of the value already
                    await connection.set_type_codec(
                        name, schema="pg_catalog", encoder=str, decoder=orjson.loads, format="text"
                    )
            except BaseException:
                connection.terminate()
                raise
        return connection


class PostgresDatabase:
    """One Postgres database, through a few connections."""

    dialect_name = "postgresql"

    def __init__(self, url: str) -> None:
        self._connections = _Connections(driver_address(url))
        self._compiler = Compiler(asyncpg_dialect(**JSON))  # type: ignore[no-untyped-call]
        self._telling: WeakKeyDictionary[Statement, Statement | None] = WeakKeyDictionary()
        self._wary = Counter[str]()
        self._next_reads: dict[Statement, asyncio.Task[list[Row]]] = {}
        self._reads: set[asyncio.Task[list[Row]]] = set()
        self._voice = Voice(self._connected)
        self._turns: defaultdict[Statement, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    async def open(cls, url: str) -> PostgresDatabase:
        """The database at `url`. A first connection is made here, so that a wrong address shows at once."""
        database = cls(url)
        database._connections.give_back(await database._connections.take())
        return database

    @property
    def connections(self) -> Mapping[str, int]:
        return self._connections.states

    def sql(self, statement: Statement) -> str:
        return self._compiler.prepare(statement).sql

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        connection = await self._connections.take()
        try:
            yield connection
        finally:
            self._connections.give_back(connection)

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        connection = await self._connections.take()
        try:
            return await _Session(connection, self._compiler).rows(statement, values)
        finally:
            self._connections.give_back(connection)

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
    async def _session(self, begin: str) -> AsyncIterator[_Session]:
        connection = await self._connections.take()
        try:
            await _run(connection, begin)
            try:
                yield _Session(connection, self._compiler)
            except BaseException:
                with suppress(StorageUnavailable):  # then it is gone, too
                    await _run(connection, "ROLLBACK")
                raise
            try:
                await _run(connection, "COMMIT")
            except StorageUnavailable as error:
                raise (OutcomeUnknown() if isinstance(error.__cause__, _BROKEN) else error) from error.__cause__
        finally:
            self._connections.give_back(connection)

    @asynccontextmanager
    async def snapshot(self, *, hope: str | None = None) -> AsyncIterator[_Session | _Observer]:
        if hope is None or self._wary[hope]:
            if hope is not None:
                self._wary[hope] -= 1
            async with self._session("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as session:
                yield session
            return
        connection = await self._connections.take()
        observer = _Observer(_Session(connection, self._compiler), self._telling)
        try:
            yield observer
        finally:
            self._connections.give_back(connection)
        if not observer.is_snapshot:
            self._wary[hope] = WARY
            raise StaleWrite("the database changed between two statements")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Session]:
        async with self._session("BEGIN") as session:
            yield session
        self._voice.tell()

    async def state(self) -> str:
        connection = await self._connections.take()
        try:
            return await _Session(connection, self._compiler).state()
        finally:
            self._connections.give_back(connection)

    async def apply(self, writes: Sequence[Write]) -> None:
        if len(writes) <= TOGETHER and _independent(writes):
            await self._together(writes)
            return
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
        connection = await self._connections.take()
        try:
            await connection.fetch(sql, *arguments)
        except pg.DivisionByZeroError as error:
            raise StaleWrite(sql) from error
        except _BROKEN as error:
            raise OutcomeUnknown from error
        except Exception as error:
            raise _translated(error) from error
        finally:
            self._connections.give_back(connection)
        self._voice.tell()

    @asynccontextmanager
    async def listening(self, wake: Callable[[], None]) -> AsyncIterator[Ear]:
        ear = Ear(self._connections.connect, wake)
        async with ear.listening():
            yield ear

    async def analyze(self) -> None:
        connection = await self._connections.take()
        try:
            await connection.execute("ANALYZE", timeout=ANALYZING)
        except Exception as error:
            raise _translated(error) from error
        finally:
            self._connections.give_back(connection)

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
        raise (_translated(error) if isinstance(error, Exception) else error) from error


def _terminate(connection: Any) -> None:
    """Nobody waits on it any longer; the server may not be told."""
    connection.terminate()


async def _close(connection: Any) -> None:
    """Say goodbye, unless that takes long."""
    with suppress(*_BROKEN):
        await connection.close(timeout=CONNECTING)


def _limit_silence(connection: Any) -> None:
    """Who is not there any more ends the connection, where the system can see to that."""
    plug = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver has no setting for it
    if plug.family in (socket.AF_INET, socket.AF_INET6) and sys.platform == "linux":
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, QUIET)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNACKNOWLEDGED * 1000))
