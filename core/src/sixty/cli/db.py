"""`sixty db`: the tables of the core and of every pack, and whether they are up to date."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from sixty import lifecycle
from sixty.cli.opening import exit_with
from sixty.cli.output import as_json, show
from sixty.config import load_settings
from sixty.storage import migrations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.registry import Pack

__all__ = ["db"]


@click.group()
def db() -> None:
    """Bring the database up to date, and show where it stands."""


def _packs() -> tuple[str, Sequence[Pack]]:
    """The address of the database, and every pack that could be loaded."""
    settings = load_settings()
    return settings.database_url, tuple(asyncio.run(lifecycle.discover(settings, os.environ)).packs.values())


@db.command()
def upgrade() -> None:
    """Bring the tables of every pack up to date."""
    url, packs = _packs()
    before = {item.pack: item.current for item in asyncio.run(migrations.status(url, packs))}
    failed = asyncio.run(migrations.upgrade(url, packs))
    moved = [item for item in asyncio.run(migrations.status(url, packs)) if item.current != before[item.pack]]
    for item in moved:
        click.echo(f"{item.pack} is at {item.current} now.")
    if not moved and not failed:
        click.echo("Everything was up to date.")
    for pack, reason in failed.items():
        click.echo(f"Error: {pack} stays as it was: {reason}", err=True)
    if failed:
        exit_with(1)


@db.command("status")
@as_json
def status(*, as_json: bool) -> None:
    """Show where the tables of every pack are and should be. The exit status is 1 if one is behind."""
    found = asyncio.run(migrations.status(*_packs()))
    rows = [
        {
            "pack": item.pack,
            "state": item.state,
            "current": item.current,
            "head": item.head,
        }
        for item in found
    ]
    show(rows, as_json=as_json, empty="No pack has tables.")
    if any(item.state == "behind" for item in found):
        exit_with(1)
