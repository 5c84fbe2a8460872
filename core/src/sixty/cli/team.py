"""`sixty team`: the teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty import people
from sixty.cli.opening import with_host
from sixty.cli.output import as_json, show

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["team"]


@click.group()
def team() -> None:
    """Add and list teams."""


@team.command()
@click.argument("name")
@with_host
async def add(host: Host, name: str) -> None:
    """Add a team."""
    added = await people.add_team(host.database, name)
    click.echo(f"There is a team {added.name} now, with the id {added.id}.")


@team.command("list")
@as_json
@with_host
async def list_(host: Host, *, as_json: bool) -> None:
    """List every team, with the number of its active users."""
    users = await people.list_users(host.database)
    rows = [
        {
            "name": found.name,
            "users": sum(user.team_id == found.id and user.disabled_at is None for user in users),
            "id": found.id,
        }
        for found in await people.list_teams(host.database)
    ]
    show(rows, as_json=as_json, empty="There are no teams; `sixty team add NAME` adds one.")
