"""Migrations: each pack has its own Alembic history and its own version table, the core first.

A pack's version is compared with its declared head in plain SQL; Alembic is imported only if they differ. One
pack's upgrade is one transaction: it happens whole or not at all, also on SQLite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sixty.errors import PluginError
from sixty.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.registry import Pack
    from sixty.storage.database import Database

__all__ = [
    "DECLARED",
    "MigrationStatus",
    "State",
    "head_of",
    "is_known",
    "outdated",
    "status",
    "upgrade",
    "version_table",
]

DECLARED = "declared"
"""The version of a pack without migrations, whose tables are made as declared."""

_REVISION = re.compile(r'^(down_)?revision(?:\s*:[^=]*)?\s*=\s*(?:"([^"]*)"|\'([^\']*)\'|None)', re.MULTILINE)


_NAME = sa.column("name", sa.String)
_TABLES = {
    "sqlite": sa.select(_NAME).select_from(sa.table("sqlite_master")),
    "postgresql": sa.select(sa.column("tablename", sa.String).label("name"))
    .select_from(sa.table("pg_tables"))
    .where(sa.column("schemaname") == sa.func.current_schema()),
}
_VERSION = sa.column("version_num", sa.String)


def version_table(pack: str) -> str:
    """The table that holds a pack's version."""
    return f"alembic_version_{pack}"


State = Literal["up to date", "behind", "ahead"]


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """Where a pack's tables are, and where they should be; None: never migrated."""

    pack: str
    current: str | None
    head: str | None
    state: State
    """`ahead` where a newer version of the pack has migrated: what is here goes on with what was there before."""


def head_of(pack: Pack) -> str | None:
    """The newest revision of a pack; `DECLARED` without migrations, None without tables.

    Raises `PluginError` unless its revisions form one line.
    """
    if pack.tables is None:
        return None
    if pack.tables.migrations is None:
        return DECLARED
    revisions, parents = _revisions(Path(pack.tables.migrations))
    heads = revisions - parents
    if len(heads) != 1:
        msg = f"the migrations of {pack.name} have {len(heads)} heads, and must have one"
        raise PluginError(msg)
    return heads.pop()


def is_known(pack: Pack, version: str) -> bool:
    """Whether the pack's tables can be brought up to date from this version of them."""
    if version == DECLARED:
        return True
    return (
        pack.tables is not None
        and pack.tables.migrations is not None
        and (version in _revisions(Path(pack.tables.migrations))[0])
    )


def _revisions(folder: Path) -> tuple[set[str], set[str]]:
    """All revisions in a folder, and those that another one follows."""
    revisions: set[str] = set()
    parents: set[str] = set()
    for path in sorted(folder.glob("*.py")):
        for down, double, single in _REVISION.findall(path.read_text(encoding="utf-8")):
            (parents if down else revisions).add(double or single)
    return revisions, parents


def _state(pack: Pack, current: str | None, head: str | None) -> State:
    if current == head:
        return "up to date"
    return "behind" if current is None or is_known(pack, current) else "ahead"


async def status(url: str, packs: Sequence[Pack]) -> list[MigrationStatus]:
    """Where every pack with tables stands."""
    database = await open_database(url)
    try:
        current = await _current(database, packs)
    finally:
        await database.close()
    found = []
    for pack in packs:
        if pack.tables is not None:
            at, head = current.get(pack.name), head_of(pack)
            found.append(MigrationStatus(pack.name, at, head, _state(pack, at, head)))
    return found


async def upgrade(url: str, packs: Sequence[Pack]) -> dict[str, str]:
    """Every pack's tables are at its head. The packs that failed, and why; their tables are as they were.

    Raises what went wrong if it is the core's own.
    """
    database = await open_database(url)
    try:
        behind, failed = await outdated(database, packs)
    finally:
        await database.close()
    if behind:
        from sixty.storage.alembic import upgrade_packs  # noqa: PLC0415 - half a second, and rarely needed

        failed |= await upgrade_packs(url, behind)
    return failed


async def outdated(database: Database, packs: Sequence[Pack]) -> tuple[list[Pack], dict[str, str]]:
    """The packs whose tables are not at their head; and those whose head cannot be told, and why."""
    failed: dict[str, str] = {}
    heads: dict[str, str | None] = {}
    for pack in packs:
        try:
            heads[pack.name] = head_of(pack)
        except PluginError as error:
            failed[pack.name] = str(error)
    if not any(heads.values()):
        return [], failed
    current = await _current(database, packs)
    behind = [
        pack
        for pack in packs
        if (head := heads.get(pack.name)) is not None and _state(pack, current.get(pack.name), head) == "behind"
    ]
    return behind, failed


async def _current(database: Database, packs: Sequence[Pack]) -> dict[str, str | None]:
    """The version of each pack's tables, as far as they exist."""
    found: dict[str, str | None] = {}
    async with database.snapshot() as reader:
        existing = {row["name"] for row in await reader.rows(_TABLES[database.dialect_name])}
        for pack in packs:
            if (table := version_table(pack.name)) in existing:
                row = await reader.row(sa.select(_VERSION).select_from(sa.table(table)))
                found[pack.name] = row["version_num"] if row is not None else None
    return found
