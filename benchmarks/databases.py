"""An empty database for as long as it is needed, on each kind that Sixty runs on."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import make_url

from benchmarks.turns import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["connections", "each", "size", "sqlite"]

NAME = "sixty_bench"


def each(folder: Path, which: str = "") -> Iterator[tuple[str, AbstractContextManager[str]]]:
    """The name of each kind, and an empty one: SQLite, in this folder, and Postgres where one is named.

    Of those that are there at the same time, each is another `which`.
    """
    yield "SQLite", sqlite(folder)
    server = os.environ.get("TEST_POSTGRES_URL")
    if server:
        yield "Postgres", postgres(server, f"{NAME}_{which.replace(' ', '_')}".rstrip("_"))
    else:
        say("Postgres is left out: TEST_POSTGRES_URL does not say where one is.")


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """The address of a new file somewhere in this folder: on a disk, where a commit costs what it costs."""
    with TemporaryDirectory(dir=folder) as inside:
        yield f"sqlite+aiosqlite:///{inside}/{NAME}.db"


@contextmanager
def postgres(server: str, name: str = NAME) -> Iterator[str]:
    """The address of a new database beside the one of this address, whose user may create it."""
    url = make_url(server)
    reach = url.set(drivername="postgresql").render_as_string(hide_password=False)
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    asyncio.run(execute(reach, drop, f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(execute(reach, drop))


def size(address: str) -> int:
    """Bytes that the database at this address takes on the disk, without the log that it writes ahead."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        assert url.database is not None
        return Path(url.database).stat().st_size
    return int(asyncio.run(asked(address, "SELECT pg_database_size(current_database())")))


def connections(address: str) -> int:
    """How many connections to the Postgres at this address are open, but for the one that asks."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return int(asyncio.run(asked(address, count)))


async def asked(address: str, statement: str) -> Any:
    """The one value that the statement finds."""
    reach = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(reach)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def execute(address: str, *statements: str) -> None:
    """Carry out statements that no transaction may hold."""
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
