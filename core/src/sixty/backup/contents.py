"""What is in a database, counted: the same look at the original, at a copy, and at what was restored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.audit.report import Head
from sixty.backup.manifest import Contents
from sixty.shared_secrets import CARRIED
from sixty.storage.migrations import version_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from sixty.backup.stopping import Stop

__all__ = ["contents_of", "differences", "mark_of", "tables_in"]

_VERSIONS = version_table("")
_MASTER = sa.table("sqlite_master", sa.column("name"), sa.column("sql"), sa.column("type"))


def tables_in(connection: Connection) -> list[str]:
    """The tables, without what SQLite keeps for its full-text index."""
    if connection.dialect.name != "sqlite":
        return sorted(sa.inspect(connection).get_table_names())
    found = connection.execute(
        sa.select(_MASTER.c.name, _MASTER.c.sql).where(
            _MASTER.c.type == "table", _MASTER.c.name.not_like("sqlite\\_%", escape="\\")
        )
    ).all()
    virtual = [name for name, sql in found if sql.upper().startswith("CREATE VIRTUAL")]
    return sorted(
        name for name, _ in found if name not in virtual and not name.startswith(tuple(f"{it}_" for it in virtual))
    )


def contents_of(connection: Connection, stop: Stop) -> Contents:
    """What is in the database, as its transaction sees it."""
    names = tables_in(connection)
    counts = {}
    for name in names:
        stop()
        counts[name] = int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0)
    version = sa.column("version_num", sa.String)
    versions = {
        name.removeprefix(_VERSIONS): found
        for name in names
        if name.startswith(_VERSIONS)
        and (found := connection.scalar(sa.select(version).select_from(sa.table(name)))) is not None
    }
    return Contents(
        organisation=_organisation(connection, names),
        versions=versions,
        counts=counts,
        audit=dict(_audit(connection, names)),
    )


def differences(before: Contents, after: Contents) -> list[str]:
    """What one look has seen and the other has not, in words."""
    found = [
        f"{name} had {before.counts.get(name)} rows, and has {after.counts.get(name)}"
        for name in sorted({*before.counts, *after.counts})
        if before.counts.get(name) != after.counts.get(name)
    ]
    if before.versions != after.versions:
        found.append(f"its migrations were {before.versions}, and are {after.versions}")
    if (before.organisation, before.audit) != (after.organisation, after.audit):
        found.append("its secret or its audit trail is another one")
    return found


def mark_of(secret: bytes) -> str:
    """Eight digits by which a database's own files are known; nobody learns the secret from them."""
    return hashlib.sha256(b"backups of " + secret).hexdigest()[:8]


def _organisation(connection: Connection, names: list[str]) -> str:
    secret = None
    if "secrets" in names:
        secrets = sa.table("secrets", sa.column("name"), sa.column("value", sa.LargeBinary))
        secret = connection.scalar(sa.select(secrets.c.value).where(secrets.c.name == CARRIED))
    return mark_of(bytes(secret or b"nobody"))


def _audit(connection: Connection, names: list[str]) -> Iterator[tuple[str, Any]]:
    if "audit" in names:
        yield "seq", connection.scalar(sa.select(sa.func.max(sa.column("seq"))).select_from(sa.table("audit")))
    if "audit_seals" in names:
        position: sa.ColumnClause[Any] = sa.column("position")
        digest: sa.ColumnClause[Any] = sa.column("hash")
        newest = sa.select(position, digest).select_from(sa.table("audit_seals")).order_by(position.desc()).limit(1)
        for row in connection.execute(newest):
            yield "head", str(Head(row[0], bytes(row[1]).hex()))
