"""`sixty audit`: who has called what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from sixty import tables
from sixty.cli.opening import with_host
from sixty.cli.output import as_json, show

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["audit"]

_NEWEST = sa.select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(sa.bindparam("count"))
_SHORT = ("seq", "at", "user", "tool", "outcome", "message", "transport")


@click.group()
def audit() -> None:
    """Show the audit trail."""


@audit.command()
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many calls.")
@as_json
@with_host
async def tail(host: Host, count: int, *, as_json: bool) -> None:
    """Show the newest calls, the newest last; with --json, with all that is known of them."""
    directory = await host.identity.directory()
    async with host.database.snapshot() as reader:
        found = await reader.rows(_NEWEST, {"count": count})
    rows = []
    for row in reversed(found):
        user = directory.users.get(row["user_id"])
        rows.append({**row, "user": user.email if user is not None else None})
    if not as_json:
        rows = [{name: row[name] for name in _SHORT} for row in rows]
    show(rows, as_json=as_json, empty="Nobody has called anything yet.")
