"""`sixty erase`: a person's data is gone for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty.cli.asking import confirm, yes
from sixty.cli.opening import with_host
from sixty.cli.output import as_json, print_json
from sixty.values import counted

if TYPE_CHECKING:
    from sixty.erasing.erasing import Erasure
    from sixty.host import Host

__all__ = ["erase"]


@click.command()
@click.argument("kind")
@click.argument("who")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@yes
@as_json
@with_host
async def erase(host: Host, kind: str, who: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase a user, or a record such as a contact (KIND), for good: by its id, or by what tells it from others (WHO).

    With a record goes its history, what was merged into it, and what the audit trail says of it; its address, phone and
    name are taken out of every other text. A user loses name and address, and is let in no more; their records stay.
    Nothing brings it back.
    """
    from sixty.erasing.erasing import erase as erased  # noqa: PLC0415 - rarely needed
    from sixty.erasing.subjects import subject_of  # noqa: PLC0415 - as above

    typed = click.get_current_context().params  # which the audit trail keeps
    typed["who"] = "…"
    subject = await subject_of(host, kind, who)
    typed["who"] = subject.id
    if dry_run or not yes:
        rehearsal = await erased(host, subject, rehearsing=True)
        _tell(rehearsal, "Would erase", as_json=as_json and dry_run)
        if subject.values.ignored and not as_json:
            click.echo(f"Too common to be looked for: {', '.join(map(repr, subject.values.ignored))}.")
    if dry_run:
        return
    confirm(f"Erase the {subject.name} {subject.id} for good?", yes=yes)
    erasure = await erased(host, subject)
    _tell(erasure, "Erased", as_json=as_json)
    if not erasure.scrubbed and not as_json:
        click.echo("The database's files may still have the bytes. On Postgres, VACUUM FULL writes them anew;")
        click.echo("on SQLite, erase the same id again when nobody else is at work.")


def _tell(erasure: Erasure, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"found": erasure.found, "unread": list(erasure.unread), "scrubbed": erasure.scrubbed})
        return
    click.echo(f"{done}:")
    for place, rows in erasure.found.items():
        click.echo(f"  {counted(rows, 'row')} of {place}")
    if erasure.unread:
        click.echo(f"Not looked through, because these packs do not serve: {', '.join(erasure.unread)}.")
