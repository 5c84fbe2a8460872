"""`sixty restore`: everything as a backup has it, in place of nothing, or of what is there."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sixty import lifecycle
from sixty.backup.making import source_at
from sixty.backup.restoring import opened, restore, waiting
from sixty.backup.stopping import Stop
from sixty.cli.acting import acting
from sixty.cli.asking import confirm, yes
from sixty.cli.backup import interruptible
from sixty.cli.output import as_json, print_json
from sixty.config import load_settings
from sixty.errors import BackupError
from sixty.host import Host
from sixty.storage.engines import connected
from sixty.values import counted

if TYPE_CHECKING:
    from sixty.backup.manifest import Contents
    from sixty.config import Settings

__all__ = ["restore_"]


@click.command("restore")
@click.argument("backup", metavar="FILE|BUCKET/FILE")
@click.option("--replace", is_flag=True, help="Also if there is something in the database: it is gone then.")
@click.option("--quiet", is_flag=True, help="Call off what waits to be done or sent: for a copy beside its original.")
@yes
@as_json
def restore_(backup: str, *, replace: bool, quiet: bool, yes: bool, as_json: bool) -> None:
    """Restore a backup into the empty database that SIXTY_DATABASE_URL names, and bring it up to date.

    All of it or nothing; a file that is damaged, or of a later version, is refused before anything is touched.
    """
    settings, stop = load_settings(), Stop()
    source = source_at(settings.database_url)
    packs = asyncio.run(lifecycle.discover(settings, os.environ)).packs
    with interruptible(), opened(backup, source, stop) as (manifest, dump):
        if (there := source.found(stop)) is not None:
            what = f"{_counted(there, 'user')} and {_counted(there, 'record')}"
            if not replace:
                raise BackupError(f"the database has {what} in it: restore into an empty one, or add --replace")
            made_at = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
            confirm(f"Replace the database, with {what}, by the backup of {made_at}?", yes=yes)
        found = restore(source, manifest, dump, packs, stop=stop, quiet_at=datetime.now(UTC) if quiet else None)
    jobs, webhooks = connected(settings.database_url, waiting)
    asyncio.run(_leave_word(settings))
    if as_json:
        both = {"manifest": manifest.model_dump(mode="json"), "found": found.model_dump(mode="json")}
        print_json({**both, "jobs": jobs, "webhooks": webhooks})
        return
    click.echo(f"Restored the backup of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC:")
    for name in ("users", "records", "changes", "audit"):
        click.echo(f"  {name:8} {found.counts.get(name, 0):>10,}")
    if jobs or webhooks:
        click.echo(
            f"The next server does {counted(jobs, 'job')} that waited, and tells {counted(webhooks, 'webhook')}. "
            "A copy beside its original is not to: restore it again, with --replace --quiet, before anything serves it."
        )


async def _leave_word(settings: Settings) -> None:
    """The audit trail of what was restored knows of it."""
    async with Host.open(settings) as host, acting(host):
        pass


def _counted(contents: Contents, what: str) -> str:
    return counted(contents.counts.get(f"{what}s", 0), what)
