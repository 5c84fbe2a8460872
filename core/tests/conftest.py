"""What the tests of the core share: an empty database of each kind."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING

import asyncpg
import pytest
import sqlalchemy as sa

from sixty.storage.database import open_database
from sixty.tables import metadata, state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sixty.storage.database import Database


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    server = os.environ.get("TEST_POSTGRES_URL")
    if server is None:
        if os.environ.get("CI") == "true":
            pytest.fail("TEST_POSTGRES_URL must be set where CI=true")
        pytest.skip("TEST_POSTGRES_URL is not set")
    name = f"sixty_test_{secrets.token_hex(6)}"
    asyncio.run(_execute(server, f"CREATE DATABASE {name}"))
    yield sa.make_url(server).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)
    asyncio.run(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/sixty.db"
    url: str = request.getfixturevalue("postgres_url")
    asyncio.run(_execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    dialect = sa.make_url(database_url).get_dialect()()
    async with database.transaction() as transaction:
        for table in metadata.sorted_tables:
            await transaction.execute(sa.text(str(sa.schema.CreateTable(table).compile(dialect=dialect))))
        await transaction.execute(sa.insert(state), {"name": "identity", "value": 0})
    yield database
    await database.close()
