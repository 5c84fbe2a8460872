"""`sixty key`: API keys, for scripts and for agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty import people
from sixty.cli.opening import one_user, with_host
from sixty.cli.output import as_json, show

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["key"]


@click.group()
def key() -> None:
    """Add, list and revoke API keys."""


@key.command()
@click.argument("email")
@click.option("--name", default="api", show_default=True, help="What the key is for.")
@with_host
async def add(host: Host, email: str, name: str) -> None:
    """Make an API key for a user and print it, this once."""
    made, secret = await people.add_key(host.database, email, name, now=host.clock())
    click.echo(secret)
    click.echo(f"Keep it: it is not shown again. `sixty key revoke {made.id}` revokes it.", err=True)


@key.command("list")
@click.argument("email", required=False)
@as_json
@with_host
async def list_(host: Host, email: str | None, *, as_json: bool) -> None:
    """List the API keys, of one user or of all; never their secrets."""
    directory = await host.identity.directory()
    wanted = None if email is None else one_user(directory, email).id
    rows = [
        {
            "id": found.id,
            "email": directory.users[found.user_id].email,
            "name": found.name,
            "created": found.created_at,
            "revoked": found.revoked_at,
        }
        for found in await people.list_keys(host.database)
        if wanted in (None, found.user_id)
    ]
    show(rows, as_json=as_json, empty="There are no API keys; `sixty key add EMAIL` makes one.")


@key.command()
@click.argument("key_id", metavar="ID")
@with_host
async def revoke(host: Host, key_id: str) -> None:
    """Refuse a key from the next call on."""
    revoked = await people.revoke_key(host.database, key_id, now=host.clock())
    click.echo(f"The key {revoked.name} is revoked.")
