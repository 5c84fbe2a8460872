"""A connection to an SQLite file: how it is opened and read from, and what its errors mean to the kernel."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from sixty.storage.database import IntegrityViolation, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.storage.statements import Prepared, Row

__all__ = ["begin", "connect", "fetch", "outcome", "translated"]

BUSY = 10.0
"""Seconds that a writer waits for another process's lock."""
LOOK = 0.002
"""Seconds in which SQLite looks three times whether it is free. Left to itself, it soon looks every tenth of a second
only, and another process that writes all the time is always faster."""
CACHE = 2_048
"""KiB of pages that a connection keeps by itself."""
STATEMENTS = 128
"""Statements that a connection keeps compiled, those that were used last: frequent ones stay, and reports are compiled
each time, which is little of what they take."""
MAPPED = 8 << 30
"""Bytes of the file that are read where the system has cached them, without a copy for each connection."""

_T = TypeVar("_T")
_AWAY = tuple(
    f"SQLITE_{reason}" for reason in ("BUSY", "LOCKED", "PROTOCOL", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOMEM")
)
"""How the names of errors begin that may be over when somebody tries again."""


def connect(path: str) -> sqlite3.Connection:
    """A new connection to the file at `path`, which is made when missing. Raises the driver's errors."""
    connection = sqlite3.connect(
        path, timeout=BUSY, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
    )
    lasting = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "wal_autocheckpoint=0")
    try:
        for pragma in (*lasting, f"cache_size=-{CACHE}", f"mmap_size={MAPPED}"):
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    return connection


def begin(connection: sqlite3.Connection) -> None:
    """A transaction that writes, alone among those of all processes. Raises the driver's errors."""
    until = monotonic() + BUSY
    _wait_at_most(connection, LOOK)
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or monotonic() >= until:
                    raise
            else:
                return
    finally:
        _wait_at_most(connection, BUSY)


def _wait_at_most(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}").close()


def fetch(connection: sqlite3.Connection, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
    """All rows of a statement. Raises the driver's errors."""
    cursor = connection.execute(prepared.sql, prepared.arguments(values))
    raw = cursor.fetchall()
    if prepared.names is None and cursor.description:
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in raw]
    return prepared.rows(raw)


def translated(error: BaseException) -> BaseException:
    """The kernel's word for an error of the driver; any other error as it is."""
    if isinstance(error, sqlite3.IntegrityError):
        return IntegrityViolation(str(error))
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "").startswith(_AWAY):
        return StorageUnavailable(f"the database is not available ({error}); try again later")
    return error


async def outcome(future: asyncio.Future[_T]) -> _T:
    """The result of what can no longer be called back: a cancellation is raised only once it is known."""
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        with suppress(Exception):
            future.result()
        raise cancelled
    return future.result()
