"""Connections to Postgres: kept open while they are used, one user at a time, and dropped once the server is silent."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import asyncpg
import orjson
from asyncpg import exceptions as pg

from sixty.signals.within import apart
from sixty.storage.database import IntegrityViolation, StaleWrite, StorageUnavailable
from sixty.storage.idle import Idle
from sixty.storage.liveness import Liveness

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Self

__all__ = ["BROKEN", "Connections", "Held", "raise_translated"]

CONNECTIONS = 8
"""Connections of one process at the most; further callers wait."""
STATEMENTS = 1_024
"""Statements that stay prepared on each, those that were used last."""
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
BROKEN = (OSError, TimeoutError, pg.InterfaceError, pg.InternalClientError, pg.PostgresConnectionError)
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


def translated(error: Exception) -> Exception:
    """What an error of the driver means here; the same error where it means nothing else."""
    if isinstance(error, pg.IntegrityConstraintViolationError):
        return IntegrityViolation(f"{error} ({error.constraint_name})")
    if isinstance(error, pg.SerializationError | pg.DeadlockDetectedError | pg.InvalidCachedStatementError):
        return StaleWrite(str(error))
    if isinstance(
        error,
        (
            *BROKEN,
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


def raise_translated(error: BaseException) -> None:
    """Raise what an error of the driver means here. One that means itself is for the caller to raise again.

    Raised from itself it would be a cycle, with all that its frames hold.
    """
    if isinstance(error, Exception) and (meaning := translated(error)) is not error:
        raise meaning from error


class Connections:
    """Open connections, kept for whoever comes next. Nobody changes their session, so none is reset."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._free: Idle[Any] = Idle(self._part)
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._liveness = Liveness(self._answers, _terminate)
        self._made: WeakSet[Any] = WeakSet()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def states(self) -> Mapping[str, int]:
        """How many are in somebody's hands, and how many wait for somebody."""
        return {"busy": self._liveness.out, "idle": len(self._free)}

    def one(self) -> Held:
        """A connection of one's own, for the length of a block."""
        return Held(self)

    async def take(self) -> Any:
        """A connection that waits for nothing; it must be given back, or settled."""
        try:
            if self._places.locked():
                await asyncio.wait_for(self._places.acquire(), PATIENCE)
            else:
                await self._places.acquire()
        except TimeoutError as error:
            raise_translated(error)
            raise
        try:
            connection = self._open() or await self.connect()
        except BaseException as error:
            self._places.release()
            raise_translated(error)
            raise
        self._liveness.begin(connection)
        return connection

    def give_back(self, connection: Any) -> None:
        """Let the next one have it."""
        self._liveness.end(connection)
        if not connection.is_closed():
            self._free.put(connection)
        self._places.release()

    def settle(self, connection: Any) -> None:
        """Give it back once the server waits for nothing on it.

        Whoever fails, or is cancelled, between preparing and executing a statement leaves the server in a transaction
        of which the driver does not know, and which holds its locks until something else is asked.
        """
        self._begin(self._settle(connection))

    async def _settle(self, connection: Any) -> None:
        try:
            await connection.execute("SELECT")
        except Exception:  # noqa: BLE001 - whatever it is, nobody else shall have it
            connection.terminate()
        finally:
            self.give_back(connection)

    def _part(self, connection: Any) -> None:
        self._begin(_close(connection))

    def _begin(self, ending: Coroutine[Any, Any, None]) -> None:
        """Something that nobody waits for, until all is closed."""
        task = asyncio.create_task(ending, context=apart())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Close those that nobody uses, and wait until the server has been told of what was cancelled on any."""
        await self._liveness.close()
        if self._ending:
            await asyncio.wait(self._ending, timeout=CONNECTING)
        await asyncio.gather(*map(_close, self._free.take_all()))
        telling = [task for connection in self._made for task in connection._cancellations]  # noqa: SLF001 - it waits for them nowhere
        if telling:
            await asyncio.wait(telling, timeout=CONNECTING)

    def _open(self) -> Any | None:
        """One that nobody uses, as far as is known; those of a server that does not answer are dropped."""
        if self._liveness.lost:
            for connection in self._free.take_all():
                connection.terminate()
            raise TimeoutError
        while (connection := self._free.take()) is not None and connection.is_closed():
            pass
        return connection

    async def _answers(self) -> bool:
        """Whether the server says anything to who comes anew, if only that it cannot take them."""
        try:
            connection = await self.connect()
        except pg.PostgresError:
            return True
        except BROKEN:
            return False
        await _close(connection)
        return True

    async def connect(self) -> Any:
        """A connection that is nobody else's, and not given back."""
        async with asyncio.timeout(CONNECTING):
            connection = await asyncpg.connect(
                self._address,
                statement_cache_size=STATEMENTS,
                max_cached_statement_lifetime=0,  # the server plans them anew by itself when that is better
                server_settings=_SETTINGS,
            )
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


class Held:
    """A connection in somebody's hands, for the length of a block."""

    __slots__ = ("_connections", "_is_doubtful", "connection")

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._is_doubtful = False
        self.connection: Any = None

    async def __aenter__(self) -> Self:
        self.connection = await self._connections.take()
        return self

    async def __aexit__(self, kind: object, error: object, traceback: object) -> None:
        if (error is not None or self._is_doubtful) and not self.connection.is_closed():
            self._connections.settle(self.connection)
        else:
            self._connections.give_back(self.connection)

    def failed(self, error: BaseException) -> None:
        """Nobody knows what the server waits for on this connection now. Raises as `raise_translated` does."""
        self._is_doubtful = True
        raise_translated(error)


def _terminate(connection: Any) -> None:
    """Nobody waits on it any longer; the server may not be told."""
    connection.terminate()


async def _close(connection: Any) -> None:
    """Say goodbye, unless that takes long."""
    with suppress(*BROKEN):
        await connection.close(timeout=CONNECTING)


def _limit_silence(connection: Any) -> None:
    """Who is not there any more ends the connection, where the system can see to that."""
    plug = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver has no setting for it
    if plug.family in (socket.AF_INET, socket.AF_INET6) and sys.platform == "linux":
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, QUIET)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNACKNOWLEDGED * 1000))
