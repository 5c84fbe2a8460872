"""`sixty plugins enable` and `disable`: which packs serve, in every server on the database and without a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty.cli.opening import with_host
from sixty.lineup import needed_by

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["disable", "enable"]


@click.command()
@click.argument("name")
@click.option("--accept", is_flag=True, help="Accept what it asks for beyond what was accepted before.")
@with_host
async def enable(host: Host, name: str, *, accept: bool) -> None:
    """Let a pack serve again; running servers load it within a second."""
    terms = await host.enable(name, accept=accept)
    if terms is None:
        click.echo(f"{name} is enabled already.")
        return
    click.echo(f"{name} is enabled. It brings{':' if terms.asks else ' nothing of its own.'}")
    for ask in terms.asks:
        click.echo(f"  {ask}")


@click.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Also if other packs need it.")
@with_host
async def disable(host: Host, name: str, *, force: bool) -> None:
    """Keep a pack from serving; running servers let go of it within a second. Its data is kept."""
    needed = needed_by(host.registry, name)
    if not await host.disable(name, force=force):
        click.echo(f"{name} is disabled already.")
        return
    click.echo(f"{name} is disabled. Its data is kept.")
    for what in needed:
        click.echo(f"  Without it {what}.")
