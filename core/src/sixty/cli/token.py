"""`sixty token`: a token for a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty.auth import mint
from sixty.cli.opening import active, with_host

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["token"]

LONGEST = 366 * 24 * 3600
"""Seconds for which a token is given at the most: it cannot be revoked by itself."""


@click.command()
@click.argument("email")
@click.option(
    "--ttl",
    type=click.IntRange(1, LONGEST),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="For how long it is accepted.",
)
@with_host
async def token(host: Host, email: str, ttl: int) -> None:
    """Print a token for a user, and nothing else. It is signed with SIXTY_JWT_SECRET."""
    directory = await host.identity.directory()
    user = directory.users[active(directory, email).user_id]
    click.echo(mint(host.settings, user, ttl, host.clock()))
