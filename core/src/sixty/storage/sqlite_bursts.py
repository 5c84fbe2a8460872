"""Bursts on a connection to SQLite: the writes of one call, or of several at once. Nothing is committed here."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sixty.storage.database import StaleWrite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.storage.statements import Compiler, Write

__all__ = ["ROWS_AT_ONCE", "Ready", "insert_together", "ready", "write"]

ROWS_AT_ONCE = (64, 16, 8, 4, 2, 1)
"""Rows that one statement inserts, the largest number that fits first."""

Ready = tuple[str, tuple[Any, ...], int | None]
"""A write for the driver: SQL, values, and how many rows it must touch."""


def ready(compiler: Compiler, writes: Sequence[Write]) -> list[Ready]:
    """The writes as the driver takes them."""
    prepared = [(compiler.prepare(write.statement), write) for write in writes]
    return [(each.sql, each.arguments(write.values), write.expect) for each, write in prepared]


def write(connection: sqlite3.Connection, burst: Sequence[Ready]) -> None:
    """The writes are done, in their order. Raises `StaleWrite` and the driver's errors."""
    for (sql, expect), same in groupby(burst, itemgetter(0, 2)):
        if expect is None:
            _run_all(connection, sql, [arguments for _, arguments, _ in same])
            continue
        for _, arguments, _ in same:
            if connection.execute(sql, arguments).rowcount != expect:
                raise StaleWrite(sql)


@lru_cache(maxsize=512)
def _halves(sql: str) -> tuple[str, str] | None:
    """An insert of one row, before and after its `VALUES`; None for any other statement."""
    head, values, row = sql.partition(" VALUES ")
    return (head, row) if values and head.startswith("INSERT INTO ") and row.endswith(")") else None


def _run_all(connection: sqlite3.Connection, sql: str, rows: list[tuple[Any, ...]]) -> None:
    """Run a write for every row of values; inserts many rows at a time.

    Each step of a statement lets go of Python's lock, for which the event loop's thread waits as well.
    """
    halves = _halves(sql)
    if halves is None:
        connection.executemany(sql, rows)
        return
    head, row = halves
    done = 0
    for size in ROWS_AT_ONCE:
        many = f"{head} VALUES {', '.join([row] * size)}"
        while len(rows) - done >= size:
            connection.execute(many, list(chain.from_iterable(rows[done : done + size])))
            done += size


def insert_together(connection: sqlite3.Connection, bursts: Sequence[Sequence[Ready]]) -> bool:
    """Whether all bursts are written, table by table: only if they are nothing but inserts, and none is refused."""
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for burst in bursts:
        for sql, arguments, expect in burst:
            if expect is not None or _halves(sql) is None:
                return False
            tables.setdefault(sql, []).append(arguments)
    connection.execute("SAVEPOINT bursts")
    try:
        for sql, rows in tables.items():
            _run_all(connection, sql, rows)
    except sqlite3.IntegrityError:  # somebody's; each by itself will show whose
        connection.execute("ROLLBACK TO bursts")
        written = False
    else:
        written = True
    connection.execute("RELEASE bursts")
    return written
