"""What is in a database, counted: the same look at the original, at a copy, and at what was restored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.backup.manifest import Contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from sixty.backup.stopping import Stop

__all__ = ["contents_of", "differences", "tables_in"]

_VERSIONS = "alembic_version_"
_SECRET = "carried by clients"  # noqa: S105 - its name, of which every database that has served has one
_MASTER = sa.table("sqlite_master", sa.column("name"), sa.column("sql"), sa.column("type"))


def tables_in(connection: Connection) -> list[str]:
    """The tables, without what SQLite keeps for its full-text index."""
    if connection.dialect.name != "sqlite":
        return sorted(sa.inspect(connection).get_table_names())
    found = connection.execute(
        sa.select(_MASTER.c.name, _MASTER.c.sql).where(_MASTER.c.type == "table", _MASTER.c.name.not_like("sqlite\\_%", escape="\\"))
    ).all()
    virtual = [name for name, sql in found if sql.upper().startswith("CREATE VIRTUAL")]
    return sorted(name for name, _ in found if name not in virtual and not name.startswith(tuple(f"{it}_" for it in virtual)))


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
    found = []
    for name in sorted({*before.counts, *after.counts}):
        if (was := before.counts.get(name)) != (now := after.counts.get(name)):
            found.append(f"{name} had {was} rows, and has {now}")
    if before.versions != after.versions:
        found.append(f"its migrations were {before.versions}, and are {after.versions}")
    if (before.organisation, before.audit) != (after.organisation, after.audit):
        found.append("its secret or its audit trail is another one")
    return found


def _organisation(connection: Connection, names: list[str]) -> str:
    """Eight digits made of a secret that every database has of its own, from which nobody learns the secret."""
    secret = None
    if "secrets" in names:
        secrets = sa.table("secrets", sa.column("name"), sa.column("value", sa.LargeBinary))
        secret = connection.scalar(sa.select(secrets.c.value).where(secrets.c.name == _SECRET))
    return hashlib.sha256(b"backups of " + bytes(secret or b"nobody")).hexdigest()[:8]


def _audit(connection: Connection, names: list[str]) -> Iterator[tuple[str, Any]]:
    if "audit" in names:
        yield "seq", connection.scalar(sa.select(sa.func.max(sa.column("seq"))).select_from(sa.table("audit")))
    if "audit_seals" in names:
        columns = [sa.column("position"), sa.column("hash")]
        newest = sa.select(*columns).select_from(sa.table("audit_seals")).order_by(columns[0].desc()).limit(1)
        if (row := connection.execute(newest).first()) is not None:
            yield "position", row[0]
            yield "hash", bytes(row[1]).hex() if isinstance(row[1], bytes | memoryview) else row[1]
