"""Who the caller is and may do, who there is, and the completion of people in arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sixty.context import Call
from sixty.prompts import Completing, completion
from sixty.resources import resource
from sixty.search import fold
from sixty.values import Arguments, ShownId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty.directory import User

__all__ = ["PEOPLE_COMPLETIONS", "me", "team"]

MOST = 20
"""People that one completion offers."""


class Nothing(Arguments):
    """An address without variables."""


class Person(BaseModel):
    """Somebody in the organisation."""

    id: ShownId
    name: str
    email: str
    role: str
    team: str | None = None


class Me(Person):
    """Who the caller is, and what they may do."""

    permissions: dict[str, str]
    """The scope of each permission that is held: `own`, `team` or `all`."""
    timezone: str
    now: str
    today: str


class Team(BaseModel):
    """The people around the caller."""

    team: str | None = None
    members: list[Person]
    """Those in the caller's team, the caller among them."""
    others: list[Person]


@resource("crm://me", name="Who you are", permission=None, about="caller")
async def me(args: Nothing, call: Call) -> Me:  # noqa: ARG001 - the address has no variables
    """Who you are: your role and team, what you may do and how far, and your organisation's time zone and day."""
    principal = call.principal
    held = {name: principal.scope(name) for name in sorted(call.registry.permissions)}
    return Me(
        **_person(call, call.directory.users[principal.user_id]),
        permissions={name: scope.widest for name, scope in held.items() if scope},
        timezone=call.timezone.key,
        now=call.now.astimezone(call.timezone).isoformat(timespec="seconds"),
        today=call.today.isoformat(),
    )


@resource("crm://team", name="Your team", permission=None, about="people")
async def team(args: Nothing, call: Call) -> Team:  # noqa: ARG001 - likewise
    """The people in your team, and everybody else, with their ids: whom records belong to and can be given to."""
    mine = call.principal.team_id
    members: list[Person] = []
    others: list[Person] = []
    for user in _active(call):
        is_member = user.id == call.principal.user_id or (mine is not None and user.team_id == mine)
        (members if is_member else others).append(Person(**_person(call, user)))
    return Team(team=call.directory.teams[mine].name if mine is not None else None, members=members, others=others)


def _active(call: Call) -> Iterator[User]:
    return (user for user in call.directory.users.values() if user.disabled_at is None)


def _person(call: Call, user: User) -> dict[str, Any]:
    team = call.directory.teams[user.team_id].name if user.team_id is not None else None
    return {"id": user.id, "name": user.name, "email": user.email, "role": user.role, "team": team}


def _meant(call: Call, typed: str) -> list[User]:
    """The people whose name, address or id begins with what was typed, or has a word that does."""
    wanted = fold(typed)
    by_id = typed.strip().lower()
    return [
        user
        for user in _active(call)
        if not by_id
        or user.id.startswith(by_id)
        or user.email.startswith(by_id)
        or f" {fold(user.name)}".find(f" {wanted}") >= 0 < len(wanted)
    ][:MOST]


@completion("owner", permission=None)
async def complete_owner(args: Completing, call: Call) -> list[str]:
    """The e-mail addresses of people, by name or address."""
    return [user.email for user in _meant(call, args.value)]


@completion("owner_id", permission=None)
async def complete_owner_id(args: Completing, call: Call) -> list[str]:
    """The ids of people, by name, address or id."""
    return [user.id for user in _meant(call, args.value)]


@completion("assignee_id", permission=None)
async def complete_assignee_id(args: Completing, call: Call) -> list[str]:
    """The ids of people, by name, address or id."""
    return [user.id for user in _meant(call, args.value)]


PEOPLE_COMPLETIONS = (complete_owner, complete_owner_id, complete_assignee_id)
