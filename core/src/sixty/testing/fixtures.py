"""The fixtures that pytest finds by itself. What they need is imported when a test asks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
    from pathlib import Path

    from sixty.testing.clock import Clock
    from sixty.testing.databases import PostgresTemplates, SqliteTemplates
    from sixty.testing.organisation import Organisation

try:
    from pytest_asyncio import fixture as async_fixture
except ImportError:  # without the extra `testing`; whoever asks for `sixty` is told by pytest
    async_fixture = pytest.fixture  # type: ignore[assignment]


@pytest.fixture
def plugins() -> Iterable[tuple[str, object]] | None:
    """The packs to serve, as (name, module); None: every installed one. Override it in a test module."""
    return None


@pytest.fixture
def environ() -> Mapping[str, str]:
    """Settings as the environment has them, such as `SIXTY_TIMEZONE`. Override it in a test module."""
    return {}


@pytest.fixture
def clock() -> Clock:
    """The time, which stands still until `clock.advance(timedelta(…))`."""
    from sixty.testing.clock import Clock  # noqa: PLC0415 - see the top of this file

    return Clock()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplates:
    """Migrated SQLite files to copy."""
    from sixty.testing.databases import SqliteTemplates  # noqa: PLC0415 - as above

    return SqliteTemplates(tmp_path_factory.mktemp("sixty_templates"))


@pytest.fixture(scope="session")
def postgres_templates() -> Iterator[PostgresTemplates]:
    """Migrated databases to copy, on the server that `TEST_POSTGRES_URL` names."""
    server = os.environ.get("TEST_POSTGRES_URL")
    if server is None:
        if os.environ.get("CI") == "true":
            pytest.fail("with CI=true, TEST_POSTGRES_URL must name a Postgres server to test on")
        pytest.skip("TEST_POSTGRES_URL is not set, for example postgresql+asyncpg://postgres@127.0.0.1:5432/test")
    from sixty.testing.databases import PostgresTemplates  # noqa: PLC0415 - as above

    templates = PostgresTemplates(server)
    yield templates
    templates.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    plugins: Iterable[tuple[str, object]] | None,
    environ: Mapping[str, str],
) -> Iterator[str]:
    """A database of the test's own, migrated for `plugins`: first on SQLite, then on Postgres."""
    wanted = None if plugins is None else tuple(plugins)
    if request.param == "sqlite":
        files: SqliteTemplates = request.getfixturevalue("sqlite_templates")
        yield files.copy(wanted, tmp_path / "sixty.db", environ)
        return
    databases: PostgresTemplates = request.getfixturevalue("postgres_templates")
    url = databases.copy(wanted, environ)
    yield url
    databases.drop(url)


@async_fixture
async def sixty(
    database_url: str, plugins: Iterable[tuple[str, object]] | None, clock: Clock, environ: Mapping[str, str]
) -> AsyncIterator[Organisation]:
    """An organisation that serves `plugins`, with somebody in each role: `sixty.as_role("admin").call(…)`."""
    from sixty.testing.organisation import open_organisation  # noqa: PLC0415 - as above

    async with open_organisation(database_url, plugins, clock=clock, environ=environ) as organisation:
        yield organisation
