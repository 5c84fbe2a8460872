"""`sixty target`: what is to be won in a period, by the organisation, a team or a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty import NotFound, Unavailable
from sixty.commands import as_json, one_user, show, with_host
from sixty_analytics import targets
from sixty_analytics.periods import period
from sixty_analytics.targets import Holder, Target, amount_of

if TYPE_CHECKING:
    from sixty.directory import Directory
    from sixty.host import Host

__all__ = ["target"]

_team = click.option("--team", help="The name of the team whose target it is.")
_owner = click.option("--owner", help="The e-mail address of the user whose target it is.")


@click.group()
def target() -> None:
    """Set, list and remove targets for a month, a quarter or a year."""


@target.command("set")
@click.argument("period")
@click.argument("amount")
@_team
@_owner
@with_host
async def set_(host: Host, period: str, amount: str, *, team: str | None, owner: str | None) -> None:
    """Set what is to be won in PERIOD (2026-07, 2026-Q3 or 2026): by everybody, a team or an owner of deals.

    What was set before for the same is replaced.
    """
    directory = await _opened(host)
    wanted = Target(_named(period), _holder(directory, team, owner), amount_of(amount))
    await targets.set_target(host, wanted)
    click.echo(f"The target of {_name(directory, wanted.holder)} for {wanted.period} is {wanted.amount:,.2f} now.")


@target.command("list")
@as_json
@with_host
async def list_(host: Host, *, as_json: bool) -> None:
    """List every target."""
    directory = await _opened(host)
    found = sorted(await targets.list_targets(host), key=lambda each: period(each.period))
    rows = [
        {
            "period": each.period,
            "team": directory.teams[each.holder.team_id].name if each.holder.team_id else None,
            "owner": directory.users[each.holder.user_id].email if each.holder.user_id else None,
            "amount": f"{each.amount:.2f}",
        }
        for each in found
    ]
    show(rows, as_json=as_json, empty="There are no targets; `sixty target set PERIOD AMOUNT` sets one.")


@target.command()
@click.argument("period")
@_team
@_owner
@with_host
async def remove(host: Host, period: str, *, team: str | None, owner: str | None) -> None:
    """Remove the target for PERIOD: everybody's, a team's or an owner's."""
    directory = await _opened(host)
    holder = _holder(directory, team, owner)
    await targets.remove_target(host, period, holder)
    click.echo(f"The target of {_name(directory, holder)} for {_named(period)} is gone.")


async def _opened(host: Host) -> Directory:
    """Everybody in the organisation. `Unavailable` where the pack does not serve, and has no tables."""
    if "analytics" not in host.registry.packs:
        raise Unavailable("targets belong to the pack analytics, which does not serve here; see `sixty plugins list`")
    return await host.identity.directory()


def _named(text: str) -> str:
    return period(text).name


def _holder(directory: Directory, team: str | None, owner: str | None) -> Holder:
    if team is not None and owner is not None:
        raise click.UsageError("a target is a team's or an owner's: give --team or --owner, not both")
    if owner is not None:
        return Holder(user_id=one_user(directory, owner).id)
    if team is None:
        return Holder()
    found = next((each for each in directory.teams.values() if each.name == team), None)
    if found is None:
        raise NotFound(f"there is no team {team[:80]!r}; `sixty team list` shows those that there are")
    return Holder(team_id=found.id)


def _name(directory: Directory, holder: Holder) -> str:
    if holder.user_id is not None:
        return directory.users[holder.user_id].name
    return f"team {directory.teams[holder.team_id].name}" if holder.team_id is not None else "the organisation"
