"""`sixty audit export`: the trail as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sixty.audit.exporting import COLUMNS, Wanted, pages
from sixty.cli.files import export_to, in_format
from sixty.cli.opening import one_user, with_host

if TYPE_CHECKING:
    from sixty.exchange.writing import Format
    from sixty.host import Host

__all__ = ["export"]


def _moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    try:
        given = None if value is None else datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"write a time such as 2026-07-31 or 2026-07-31T12:00+02:00, got {value!r}") from error
    return given.replace(tzinfo=UTC) if given is not None and given.tzinfo is None else given


@click.command()
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", metavar="TIME", callback=_moment, help="From this time on; UTC unless it says otherwise.")
@click.option("--until", metavar="TIME", callback=_moment, help="Before this time.")
@click.option("--user", "email", metavar="EMAIL", help="Only what this user has called.")
@click.option("--tool", metavar="NAME", help="Only calls of this tool.")
@click.option("--outcome", metavar="CODE", help="Only those that ended so, such as ok or forbidden.")
@in_format
@with_host
async def export(
    host: Host,
    path: Path | None,
    *,
    since: datetime | None,
    until: datetime | None,
    email: str | None,
    tool: str | None,
    outcome: str | None,
    form: Format | None,
) -> None:
    """Write the audit trail to FILE, which only its owner can read, or to standard output, the oldest line first.

    Each line has what signs it and the seal that it is in, so that a copy can be checked.
    """
    user = None if email is None else one_user(await host.identity.directory(), email).id
    wanted = Wanted(since, until, user, tool, outcome)
    await export_to(path, form, COLUMNS, pages(host, wanted), one="line", private=True)
