"""`sixty grant`: what single users may do beyond their role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty import people
from sixty.cli.opening import one_user, with_host
from sixty.cli.output import as_json, show

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["grant"]


@click.group()
def grant() -> None:
    """Give single users a permission beyond their role, written resource:action[:own|team|all]."""


@grant.command()
@click.argument("email")
@click.argument("permission")
@with_host
async def add(host: Host, email: str, permission: str) -> None:
    """Give a user a permission, from their next call on."""
    given = await people.add_grant(host.database, email, permission, known=host.registry.permissions)
    click.echo(f"{email} has {given} now.")


@grant.command()
@click.argument("email")
@click.argument("permission")
@with_host
async def revoke(host: Host, email: str, permission: str) -> None:
    """Take back what `grant add` gave. What comes with the role stays."""
    taken = await people.revoke_grant(host.database, email, permission)
    click.echo(f"{email} no longer has {taken} beyond their role.")


@grant.command("list")
@click.argument("email", required=False)
@as_json
@with_host
async def list_(host: Host, email: str | None, *, as_json: bool) -> None:
    """List the grants of everybody beyond their role; with an EMAIL, all that this user has."""
    if email is None:
        rows = [
            {"email": holder, "permission": permission, "from": "grant"}
            for holder, permission in await people.list_grants(host.database)
        ]
    else:
        directory = await host.identity.directory()
        user = one_user(directory, email)
        held = [(grant, user.role) for grant in directory.role_grants.get(user.role, ())]
        held += [(grant, "grant") for grant in directory.own_grants.get(user.id, ())]
        rows = [{"email": user.email, "permission": str(grant), "from": source} for grant, source in held]
    show(rows, as_json=as_json, empty="Nobody has a permission beyond their role.")
