"""`sixty user`: who may sign in, and in which role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty import people
from sixty.cli.opening import with_host
from sixty.cli.output import as_json, show
from sixty.permissions import ROLES

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["user"]


@click.group()
def user() -> None:
    """Add, list, disable and enable users, and change their role or team."""


@user.command()
@click.argument("email")
@click.option("--name", help="Their name; by default the part of the address before the @.")
@click.option("--role", type=click.Choice(ROLES), default="user", show_default=True)
@click.option("--team", help="The name of their team.")
@click.option("--subject", help="The `sub` of their tokens from an identity provider.")
@with_host
async def add(host: Host, email: str, *, name: str | None, role: str, team: str | None, subject: str | None) -> None:
    """Add a user."""
    added = await people.add_user(
        host.database, email=email, name=name, role=role, team=team, subject=subject, now=host.clock()
    )
    click.echo(f"{added.email} has the role {added.role} now, and the id {added.id}.")


@user.command("list")
@as_json
@with_host
async def list_(host: Host, *, as_json: bool) -> None:
    """List every user."""
    teams = {team.id: team.name for team in await people.list_teams(host.database)}
    rows = [
        {
            "email": found.email,
            "name": found.name,
            "role": found.role,
            "team": teams.get(found.team_id or ""),
            "disabled": found.disabled_at,
            "subject": found.subject,
            "id": found.id,
        }
        for found in await people.list_users(host.database)
    ]
    show(rows, as_json=as_json, empty="There are no users; `sixty user add EMAIL` adds one.")


@user.command()
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@with_host
async def set_role(host: Host, email: str, role: str) -> None:
    """Put a user into a role, from their next call on."""
    changed = await people.set_role(host.database, email, role)
    click.echo(f"{changed.email} has the role {changed.role} now.")


@user.command()
@click.argument("email")
@click.argument("team", required=False)
@with_host
async def set_team(host: Host, email: str, team: str | None) -> None:
    """Put a user into a team, or without TEAM into none, from their next call on."""
    changed = await people.set_team(host.database, email, team)
    click.echo(f"{changed.email} is in {'the team ' + team if team else 'no team'} now.")


@user.command()
@click.argument("email")
@with_host
async def enable(host: Host, email: str) -> None:
    """Accept a disabled user again."""
    enabled = await people.enable_user(host.database, email)
    click.echo(f"{enabled.email} is enabled.")


@user.command()
@click.argument("email")
@with_host
async def disable(host: Host, email: str) -> None:
    """Refuse a user from the next call on. What they own stays theirs."""
    disabled = await people.disable_user(host.database, email, now=host.clock())
    click.echo(f"{disabled.email} is disabled.")
