"""`sixty backup`: a copy of everything, while servers run, in a file that was restored once; and `sixty backups`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sixty import lifecycle
from sixty.backup.making import back_up, rotate, source_at
from sixty.backup.manifest import Name
from sixty.backup.places import Folder, is_address, place_at
from sixty.backup.remembering import note
from sixty.backup.stopping import Stop
from sixty.cli.acting import acting
from sixty.cli.output import as_json, print_json, show
from sixty.config import load_settings
from sixty.errors import ConfigError, SixtyError
from sixty.host import Host
from sixty.storage.migrations import status
from sixty.values import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sixty.backup.places import Place
    from sixty.config import Settings
    from sixty.registry import Pack

__all__ = ["backup", "backups", "interruptible", "size_of"]


@click.command()
@click.argument("target", metavar="[FOLDER|FILE|BUCKET]", required=False)
@click.option("--no-verify", is_flag=True, help="Do not restore it once to see that it can be.")
@click.option("--rotate", "rotating", is_flag=True, help="Remove older ones, as SIXTY_BACKUP_KEEP says.")
@as_json
def backup(target: str | None, *, no_verify: bool, rotating: bool, as_json: bool) -> None:
    """Back everything up into a folder, a file, or a bucket (s3://BUCKET/PREFIX), while servers run.

    By default where SIXTY_BACKUP_TO says. The file is there once it is whole and was restored.
    """
    settings = load_settings()
    place, name = _target(settings, target)
    if rotating and name is not None:
        raise click.UsageError("--rotate is for a folder or a bucket")
    registry = asyncio.run(lifecycle.discover(settings, os.environ))
    packs = {pack.name: pack.version for pack in registry.packs.values()}
    verify, now = settings.backup_verify and not no_verify, datetime.now(UTC)
    with interruptible():
        source = source_at(settings.database_url)
        made = back_up(source, place, packs=packs, now=now, stop=Stop(), name=name, verify=verify)
        try:
            asyncio.run(_leave_word(settings, tuple(registry.packs.values()), now))
        except SixtyError as error:  # it is a backup all the same
            click.echo(f"The database could not be told of it: {error}", err=True)
        gone = rotate(place, made.manifest.contents.organisation, settings.backup_keep) if rotating else []
    if as_json:
        print_json({**made.model_dump(mode="json"), "removed": gone})
        return
    click.echo(f"{made.place}/{made.name}")
    rows = counted(sum(made.manifest.contents.counts.values()), "row")
    how = "restored once and found the same" if made.verified else "not verified"
    click.echo(f"{rows} in {size_of(made.bytes)}, {how}, in {made.seconds:.1f} seconds.")
    if rotating:
        click.echo(f"{counted(len(gone), 'older backup')} removed.")


@click.command()
@click.argument("place", metavar="[FOLDER|BUCKET]", required=False)
@as_json
def backups(place: str | None, *, as_json: bool) -> None:
    """List the backups in a folder or a bucket, the oldest first; by default where SIXTY_BACKUP_TO says."""
    where = place_at(_place_named(load_settings(), place))
    found = [(name, stored.size) for stored in where.list("sixty-") if (name := Name.parse(stored.name)) is not None]
    rows = [
        {"name": it.name, "organisation": it.organisation, "made_at": it.made_at, "bytes": size}
        for it, size in sorted(found, key=lambda pair: pair[0].made_at)
    ]
    show(rows, as_json=as_json, empty=f"There are no backups in {where.address}.")


async def _leave_word(settings: Settings, packs: Sequence[Pack], made_at: datetime) -> None:
    """The database and its audit trail know of the backup, unless they are of an earlier version: that stays."""
    if all(found.current == found.head for found in await status(settings.database_url, packs)):
        async with Host.open(settings) as host, acting(host):
            await note(host.database, made_at)


def size_of(count: float) -> str:
    """So many bytes, for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:  # noqa: PLR2004 - as the units have it
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block, a request to end leaves as an error does: nothing that was begun is left."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _place_named(settings: Settings, given: str | None) -> str:
    if (named := given or settings.backup_to) is None:
        raise ConfigError("say where: name a folder or a bucket, or set SIXTY_BACKUP_TO")
    return named


def _target(settings: Settings, given: str | None) -> tuple[Place, str | None]:
    """Where to, and under which name; None: one that is made."""
    named = _place_named(settings, given)
    path = Path(named).expanduser()
    if given is None or is_address(named) or path.is_dir() or named.endswith("/"):
        return place_at(named), None
    if path.exists():
        raise click.UsageError(f"{path} is there already, and a backup takes nothing's place")
    return Folder(path.parent), path.name
