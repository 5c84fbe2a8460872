"""Fills an empty database with the demo organisation, relative to a day and the same each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty import people
from sixty.config import load_settings
from sixty.demo.organisation import COMPANIES, TEAMS, address_of
from sixty.demo.timeline import Clock, Demo, Timeline
from sixty.host import Host
from sixty.permissions import ROLES
from sixty.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sixty.directory import User
    from sixty.permissions import Role

__all__ = ["Badge", "Loaded", "load"]

FOUNDED = timedelta(days=400)
"""How long ago the first people came: before anything that they do."""
QUIET = {"SIXTY_RATE_STANDARD": "off", "SIXTY_RATE_STRICT": "off", "SIXTY_RATE_BULK": "off"}
"""A year passes within seconds."""

_kinds = sa.select(records.c.kind, sa.func.count().label("n")).where(records.c.deleted_at.is_(None))
_kinds = _kinds.group_by(records.c.kind).order_by(records.c.kind)


@dataclass(frozen=True, slots=True)
class Badge:
    """Somebody, and the secret of their API key."""

    user: User
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in the database now."""

    badges: Mapping[Role, Badge]
    """One for each role."""
    contents: Mapping[str, int]
    """How many there are of what."""
    calls: int
    """Made to put it there."""


async def load(database_url: str, now: datetime, plugins: Iterable[tuple[str, object]] | None = None) -> Loaded:
    """Put the organisation in, as of `now`: people, what each pack adds to the past, and a key for each role.

    Only what is given counts, not the settings of the environment.
    """
    settings = load_settings(QUIET, database_url=database_url)
    today = now.astimezone(UTC).date()
    midnight = datetime.combine(today, time(), UTC)
    clock = Clock(midnight - FOUNDED)
    async with Host.open(settings, environ=QUIET, plugins=plugins, clock=clock) as host:
        members = await _hire(host)
        timeline = Timeline()
        for pack in host.registry.packs.values():
            if (hook := getattr(pack.plugin, "sixty_demo", None)) is not None:
                chance = Random(f"sixty {pack.name}")  # noqa: S311 - the same on each run, which is what it is for
                hook(demo=Demo(today, chance, members, COMPANIES, timeline))
        calls = await timeline.run(host, clock)
        clock.now = now
        badges = {role: await _badge(host, next(user for user in members if user.role == role)) for role in ROLES}
        kinds = host.registry.kinds
        counts = {kinds[row["kind"]].table.name: int(row["n"]) for row in await host.database.rows(_kinds)}
    contents = {"teams": len(TEAMS), "users": len(members), "companies": len(COMPANIES), **counts}
    return Loaded(badges, contents, calls)


async def _hire(host: Host) -> tuple[User, ...]:
    members = []
    for team, roles in TEAMS.items():
        await people.add_team(host.database, team)
        for name, role in roles.items():
            email = address_of(name)
            members.append(
                await people.add_user(host.database, email=email, name=name, role=role, team=team, now=host.clock())
            )
    return tuple(members)


async def _badge(host: Host, user: User) -> Badge:
    _, secret = await people.add_key(host.database, user.email, "demo", now=host.clock())
    return Badge(user, secret)
