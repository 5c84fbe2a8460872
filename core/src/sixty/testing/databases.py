"""Databases for tests: migrated once, copied for each test."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from types import MappingProxyType
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
    """Databases on one Postgres server, each with the tables of a set of plugins."""

    def __init__(self, server: str) -> None:
        self._server = sa.make_url(server).set(drivername="postgresql+asyncpg")
        self._prefix = f"sixty_test_{secrets.token_hex(6)}"
        self._made: dict[Key, str] = {}
        self._count = 0

    def copy(self, plugins: Plugins, environ: Mapping[str, str] = MappingProxyType({})) -> str:
        """The URL of a new database, migrated for `plugins` as they are with these settings."""
        key = plugins, frozenset(environ.items())
        template = self._made.get(key)
        if template is None:
            template = f"{self._prefix}_template_{len(self._made)}"
            self._execute([f"CREATE DATABASE {template}"])
            asyncio.run(_migrate(self._url(template), plugins, environ))
            self._made[key] = template
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._execute([f"CREATE DATABASE {name} TEMPLATE {template}"])
        return self._url(name)

    def drop(self, url: str) -> None:
        """The database at `url` is gone, whoever is connected to it."""
        self._execute([f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)"])

    def close(self) -> None:
        """The templates are gone."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in self._made.values())

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _execute(self, statements: Iterable[str]) -> None:
        asyncio.run(
            _execute(self._server.set(drivername="postgresql").render_as_string(hide_password=False), statements)
        )


async def _execute(server: str, statements: Iterable[str]) -> None:
    import asyncpg  # noqa: PLC0415 - only who tests on Postgres needs it

    connection = await asyncpg.connect(server)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
