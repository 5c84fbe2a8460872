"""The rules of activities: what they are, where they stand, how they are named, and weeks. No database, no protocol."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

from sixty import Conflict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

__all__ = ["STATUSES", "Ending", "Status", "Type", "ended_already", "mondays", "named", "spoken", "week_of"]

Type = Literal["call", "meeting", "proposal_sent", "email", "task"]
Status = Literal["scheduled", "completed", "cancelled"]
Ending = Literal["completed", "cancelled"]
"""How a scheduled activity ends."""

STATUSES: tuple[Status, ...] = get_args(Status)
_WORDS: Mapping[Type, str] = {
    "call": "Call",
    "meeting": "Meeting",
    "proposal_sent": "Proposal",
    "email": "E-mail",
    "task": "Task",
}
_QUOTED = 80
"""Characters of a description that a sentence quotes."""


def named(kind: Type, description: str) -> str:
    """An activity as a sentence names it: `Call "Ask about the budget"`, with a long description cut short."""
    text = " ".join(description.split())
    return f'{_WORDS[kind]} "{text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"}"'


def spoken(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as a sentence says it: `2026-03-03 14:00 (Europe/Berlin)`."""
    try:
        local, name = moment.astimezone(zone), zone.key
    except OverflowError:  # beyond the first or the last year there is
        local, name = moment, "UTC"
    return f"{local:%Y-%m-%d %H:%M} ({name})"


def ended_already(name: str, status: Status, wanted: Ending) -> bool:
    """Whether an activity has ended as wanted before. Raises `Conflict` if it has ended otherwise."""
    if status in ("scheduled", wanted):
        return status == wanted
    remedy = "undo_change takes that back, and create_activity makes another"
    raise Conflict(f"{name} is {status} and cannot become {wanted}; {remedy}", status=status, given=wanted)


def week_of(day: date) -> date:
    """The Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def mondays(first: date, last: date) -> list[date]:
    """The Mondays on which a new week begins after `first`, until `last`."""
    return [first + timedelta(days=days) for days in range(7 - first.weekday(), (last - first).days + 1, 7)]
