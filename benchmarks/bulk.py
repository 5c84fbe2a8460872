"""Rows put into a database in bulk: past the server, with the indexes built once everything is there."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import sqlalchemy as sa
from asyncpg.pgproto.pgproto import UUID
from sqlalchemy import make_url

from benchmarks.pipeline import columns
from sixty import Id, Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.pipeline import Chunk

__all__ = ["fill"]

CACHE = 512 * 1024
"""KiB of pages that SQLite keeps while it loads."""


def fill(database: str, chunks: Iterable[Chunk]) -> None:
    """The migrated database at this address has these rows, its indexes and the statistics of its tables."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        assert url.database is not None
        _fill_sqlite(url.database, chunks)
    else:
        asyncio.run(_fill_postgres(url.set(drivername="postgresql").render_as_string(hide_password=False), chunks))


def _fill_sqlite(path: str, chunks: Iterable[Chunk]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=OFF", "foreign_keys=OFF", f"cache_size=-{CACHE}", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    kept = "type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name NOT LIKE 'search_index%'"
    dropped = connection.execute(f"SELECT type, name, sql FROM sqlite_master WHERE {kept}").fetchall()  # noqa: S608 - no value in it
    for kind, name, _ in dropped:
        connection.execute(f"DROP {kind} {name}")
    for chunk in chunks:
        connection.execute("BEGIN")
        for table, rows in chunk.items():
            names = columns(table)
            places = ", ".join("?" * len(names))
            insert = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - names of ours
            connection.executemany(insert, _converted(table, rows, _SQLITE))
        connection.execute("COMMIT")
    connection.execute("INSERT INTO search_index(search_index) VALUES ('rebuild')")
    for _, _, sql in dropped:
        connection.execute(sql)
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _fill_postgres(address: str, chunks: Iterable[Chunk]) -> None:
    connection = await asyncpg.connect(address)
    await connection.execute("SET session_replication_role = replica")  # no foreign key is asked
    await connection.execute("SET maintenance_work_mem = '512MB'")
    kept = "schemaname = 'public' AND indexname LIKE 'ix\\_%'"
    dropped = await connection.fetch(f"SELECT indexname, indexdef FROM pg_indexes WHERE {kept}")  # noqa: S608 - as above
    for index in dropped:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    for chunk in chunks:
        for table, rows in chunk.items():
            converted = list(_converted(table, rows, _POSTGRES))
            await connection.copy_records_to_table(table.name, records=converted, columns=columns(table))
    for index in dropped:
        await connection.execute(index["indexdef"])
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _converted(table: sa.Table, rows: list[tuple[Any, ...]], converts: dict[type, Callable[[Any], Any]]) -> Any:
    """The rows as a driver takes them, column by column."""
    if not rows:
        return ()
    held = zip(columns(table), zip(*rows, strict=True), strict=True)
    return zip(*(_as(converts.get(type(table.c[name].type)), values) for name, values in held), strict=True)


def _as(convert: Callable[[Any], Any] | None, values: tuple[Any, ...]) -> Any:
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_SQLITE: dict[type, Callable[[Any], Any]] = {
    Instant: lambda seconds: _moment(seconds).isoformat(timespec="microseconds"),
    sa.Date: str,
}
_POSTGRES: dict[type, Callable[[Any], Any]] = {Id: UUID, Instant: _moment}
