"""SQLAlchemy's own engines, for what is done rarely and at length: migrations, backups. No call goes through one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["connected", "connection_to"]

_T = TypeVar("_T")


@asynccontextmanager
async def connection_to(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection on which nothing is committed but what a transaction commits, also where tables are made."""
    options: dict[str, Any] = {}
    if url.startswith("postgresql"):

        async def connect(*_: Any, **__: Any) -> Any:
            import asyncpg  # noqa: PLC0415 - one driver is imported, not both

            from sixty.storage.postgres import driver_address  # noqa: PLC0415 - as above

            # the driver's own words for TLS and the like, which SQLAlchemy would not hand on
            return await asyncpg.connect(driver_address(url))

        options["async_creator"] = connect
    engine = create_async_engine(url, poolclass=NullPool, **options)
    if engine.dialect.name == "sqlite":
        # the driver would commit before a CREATE TABLE and leave half a migration behind
        sa.event.listen(engine.sync_engine, "connect", _manual_transactions)
        sa.event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def connected(url: str, work: Callable[[Connection], _T]) -> _T:
    """What `work` returns, in a transaction of its own; for a thread in which no event loop runs."""

    async def run() -> _T:
        async with connection_to(url) as connection, connection.begin():
            return await connection.run_sync(work)

    return asyncio.run(run())


def _manual_transactions(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
