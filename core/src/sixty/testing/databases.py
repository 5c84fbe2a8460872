"""Databases for tests: migrated once, copied for each test."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from pathlib import Path

__all__ = ["PostgresTemplates", "SqliteTemplates"]

Plugins = tuple[tuple[str, object], ...] | None
Key = tuple[Plugins, frozenset[tuple[str, str]]]


async def _migrate(url: str, plugins: Plugins, environ: Mapping[str, str]) -> None:
    from sixty.config import Settings  # noqa: PLC0415 - pytest loads this module, whatever it tests
    from sixty.host import Host  # noqa: PLC0415 - as above

    async with Host.open(Settings(database_url=url), environ=environ, plugins=plugins):
        pass  # the first start leaves everything as later ones find it


class SqliteTemplates:
    """SQLite files with the tables of a set of plugins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Key, Path] = {}

    def copy(self, plugins: Plugins, path: Path, environ: Mapping[str, str] = MappingProxyType({})) -> str:
        """The URL of a new database at `path`, migrated for `plugins` as they are with these settings."""
        key = plugins, frozenset(environ.items())
        template = self._made.get(key)
        if template is None:
            template = self._folder / f"{len(self._made)}.db"
            asyncio.run(_migrate(f"sqlite+aiosqlite:///{template}", plugins, environ))
            self._made[key] = template
        shutil.copyfile(template, path)
        return f"sqlite+aiosqlite:///{path}"


class PostgresTemplates:
    """Databases on one Postgres server, each with the tables of a set of plugins.

    Making one takes longer than many a test, so the next one is made, and the last one dropped, while tests run.
    """

    def __init__(self, server: str) -> None:
        self._server = sa.make_url(server).set(drivername="postgresql+asyncpg")
        self._prefix = f"sixty_test_{secrets.token_hex(6)}"
        self._made: dict[Key, str] = {}
        self._next: dict[Key, Future[str]] = {}
        self._count = 0
        self._clerk = _Clerk(self._server.set(drivername="postgresql").render_as_string(hide_password=False))

    def copy(self, plugins: Plugins, environ: Mapping[str, str] = MappingProxyType({})) -> str:
        """The URL of a new database, migrated for `plugins` as they are with these settings."""
        key = plugins, frozenset(environ.items())
        if key not in self._made:
            template = f"{self._prefix}_template_{len(self._made)}"
            self._clerk.execute(f"CREATE DATABASE {template}").result()
            asyncio.run(_migrate(self._url(template), plugins, environ))
            self._made[key] = template
            return self._url(self._copy(key).result())
        ready = self._next.pop(key, None) or self._copy(key)
        self._next[key] = self._copy(key)  # who was asked twice will be asked again
        return self._url(ready.result())

    def drop(self, url: str) -> None:
        """The database at `url` is gone soon, whoever is connected to it."""
        self._clerk.execute(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """The templates are gone, and the copies that nobody has used."""
        for name in (*(ready.result() for ready in self._next.values()), *self._made.values()):
            self._clerk.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)").result()
        self._clerk.close()

    def _copy(self, key: Key) -> Future[str]:
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        return self._clerk.execute(f"CREATE DATABASE {name} TEMPLATE {self._made[key]}", name)

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)


class _Clerk:
    """Runs statements one after the other, on a connection and in a thread of its own."""

    def __init__(self, server: str) -> None:
        self._thread = ThreadPoolExecutor(1, "sixty-databases")
        self._loop = asyncio.new_event_loop()
        self._connection = self._thread.submit(self._loop.run_until_complete, _connected(server))

    def execute(self, statement: str, name: str = "") -> Future[str]:
        """`name`, once the statement has run."""

        def run() -> str:
            self._loop.run_until_complete(self._connection.result().execute(statement))
            return name

        return self._thread.submit(run)

    def close(self) -> None:
        """Every statement has run, and the connection is closed."""
        self._thread.submit(lambda: self._loop.run_until_complete(self._connection.result().close())).result()
        self._thread.shutdown()
        self._loop.close()


async def _connected(server: str) -> Any:
    import asyncpg  # noqa: PLC0415 - only who tests on Postgres needs it

    return await asyncpg.connect(server)
