"""`sixty audit`: who has called what, and whether the trail of it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from sixty import tables
from sixty.audit.lines import line_shown
from sixty.audit.report import Head
from sixty.cli.auditing import export
from sixty.cli.opening import exit_with, with_host
from sixty.cli.output import as_json, print_json, show
from sixty.values import counted

if TYPE_CHECKING:
    from sixty.audit.report import Report
    from sixty.host import Host

__all__ = ["audit"]

_NEWEST = sa.select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(sa.bindparam("count"))
_SHORT = ("seq", "at", "user", "tool", "outcome", "message", "transport")


@click.group()
def audit() -> None:
    """Show, verify and export the audit trail."""


audit.add_command(export)


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
        rows.append({**line_shown(row), "user": user.email if user is not None else None})
    if not as_json:  # whom Sixty does not know is who they are to the operating system
        rows = [{**{name: row[name] for name in _SHORT}, "user": row["user"] or row["client"]} for row in rows]
    show(rows, as_json=as_json, empty="Nobody has called anything yet.")


def _head(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Head | None:
    try:
        return None if value is None else Head.parse(value)
    except ValueError as error:
        raise click.BadParameter("write what `sixty audit verify` has printed: POSITION:HASH") from error


@audit.command()
@click.option("--head", metavar="POSITION:HASH", callback=_head, help="A head that was kept: the chain must hold it.")
@as_json
@with_host
async def verify(host: Host, head: Head | None, *, as_json: bool) -> None:
    """Find what was changed, removed or inserted. The exit status is 1 if anything was.

    Keep the head that it prints where whoever can write the database cannot: with --head it proves, later, that nothing
    up to there was rewritten.
    """
    from sixty.audit.verifying import verify as verified  # noqa: PLC0415 - the group is imported for every command

    report = await verified(host, head=head)
    if as_json:
        print_json(report.to_json())
    else:
        _tell(report)
    if report.found:
        exit_with(1)


def _tell(report: Report) -> None:
    click.echo(f"{counted(report.lines, 'line')} in {counted(report.seals, 'seal')} are as they were written.")
    for count, what in (
        (report.erased, "of them were erased, as recorded"),
        (report.before, "were written before lines were signed"),
        (report.unsealed, f"are still to be sealed, the oldest since {report.unsealed_since}"),
    ):
        if count:
            click.echo(f"{count} {what}.")
    if report.removed_through:
        click.echo(f"Everything up to seal {report.removed_through} was removed by retention.")
    rows: list[dict[str, Any]] = [
        {"what": one.what, "seq": one.seq, "call": one.call_id, "finding": one.message} for one in report.findings
    ]
    if rows:
        show(rows, as_json=False, empty="")
        click.echo(f"{counted(report.found, 'finding')}.")
    click.echo(f"head {report.head}")
