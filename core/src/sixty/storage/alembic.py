"""Running a pack's revisions with Alembic, one pack in one transaction, on both databases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from sixty.storage.engines import connection_to
from sixty.storage.migrations import DECLARED, version_table
from sixty.tables import pointers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from sixty.kinds import Tables
    from sixty.registry import Pack

__all__ = ["downgrade_pack", "upgrade_packs"]

LOCK = 60_660_060
"""The advisory lock on Postgres under which one process at a time migrates."""
WAIT = 2.0
"""Seconds for which a migration waits for a table, while whoever comes later waits for the migration."""
TRIES, PAUSE = 20, 0.5
"""How often it is tried while others use the same tables in another order, and seconds between two tries."""

_IN_THE_WAY = ("40P01", "55P03")
"""A deadlock, and a lock that was not to be had in time."""


async def upgrade_packs(url: str, packs: Sequence[Pack]) -> dict[str, str]:
    """Every pack is at its head. Those that failed, and why; raises what went wrong if it is the core's own."""
    failed: dict[str, str] = {}
    async with connection_to(url) as connection:
        for pack in packs:
            try:
                await _upgrade_beside_others(connection, pack)
            except Exception as error:
                if pack.name == "core":
                    raise
                failed[pack.name] = f"its migration failed: {type(error).__name__}: {error}"
    return failed


async def _upgrade_beside_others(connection: AsyncConnection, pack: Pack) -> None:
    """The pack is at its head, or as it was: each try is one transaction."""
    for tried in range(1, TRIES + 1):
        try:
            async with connection.begin():
                await connection.run_sync(_upgrade, pack)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY or tried == TRIES:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return


async def downgrade_pack(url: str, pack: Pack) -> None:
    """None of the pack's tables are left, by its own downgrades."""
    async with connection_to(url) as connection, connection.begin():
        await connection.run_sync(_downgrade, pack)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        connection.execute(sa.select(sa.func.set_config("lock_timeout", f"{WAIT * 1000:.0f}", True)))  # noqa: FBT003 - it is so local


def _run(connection: Connection, pack: Pack, folder: Path, target: str) -> None:
    script = ScriptDirectory(str(folder), version_locations=[str(folder)])

    def revisions(current: Any, _context: Any) -> Any:
        if target == "base":
            return script._downgrade_revs(target, current)  # noqa: SLF001 - as Alembic's own env.py is given it
        return script._upgrade_revs(target, current)  # noqa: SLF001 - as above

    context = MigrationContext.configure(
        connection, opts={"version_table": version_table(pack.name), "transactional_ddl": True, "fn": revisions}
    )
    with Operations.context(context):
        context.run_migrations()


def _upgrade(connection: Connection, pack: Pack) -> None:
    _lock(connection)
    tables = pack.tables
    if tables is None:
        return
    if tables.migrations is not None:
        _begin_history(connection, pack, tables.migrations)
        _run(connection, pack, tables.migrations, "head")
    else:
        tables.metadata.create_all(connection)
        version = sa.Table(
            version_table(pack.name), sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
        )
        version.create(connection, checkfirst=True)
        connection.execute(sa.delete(version))
        connection.execute(sa.insert(version).values(version_num=DECLARED))
    if pack.name != "core":
        _note_pointers(connection, pack.name, tables)


def _begin_history(connection: Connection, pack: Pack, folder: Path) -> None:
    """Tables that were made as declared stand at the first revision of the history that the pack has now."""
    table = version_table(pack.name)
    if not sa.inspect(connection).has_table(table):
        return
    version = sa.table(table, sa.column("version_num", sa.String))
    first = ScriptDirectory(str(folder), version_locations=[str(folder)]).get_base()
    connection.execute(sa.update(version).where(version.c.version_num == DECLARED).values(version_num=first))


def _downgrade(connection: Connection, pack: Pack) -> None:
    _lock(connection)
    tables = pack.tables
    if tables is None:
        return
    if tables.migrations is not None:
        _run(connection, pack, tables.migrations, "base")
    else:
        tables.metadata.drop_all(connection)
        connection.execute(sa.delete(sa.table(version_table(pack.name))))
    if pack.name != "core":  # with which they are gone
        connection.execute(sa.delete(pointers).where(pointers.c.pack == pack.name))


def _note_pointers(connection: Connection, pack: str, tables: Tables) -> None:
    connection.execute(sa.delete(pointers).where(pointers.c.pack == pack))
    for table, column in tables.pointers():
        connection.execute(sa.insert(pointers).values(table_name=table, column_name=column, pack=pack))
