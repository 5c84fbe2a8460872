"""The automations: tasks that follow from what has happened. Each is a setting, and none makes a task twice.

That a task is there already is looked up; the database makes sure of it when two calls look at the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Id, on
from sixty.crm import ActivityCompleted, ActivityCreated
from sixty_tasks.rules import cut, next_working_day
from sixty_tasks.saving import add, seen
from sixty_tasks.tables import tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sixty import Call, Reaction

__all__ = ["REACTIONS"]

Happened = ActivityCreated | ActivityCompleted

MAY = ("tasks:read", "tasks:create")
"""Whoever logs an activity, its task is made; a reaction may point at what its event names."""
_PROPOSAL_DAYS = 3

_made = sa.select(tasks.c.id).where(
    tasks.c.related_activity_id == sa.bindparam("activity_id", type_=Id),
    tasks.c.automation == sa.bindparam("automation", type_=sa.String),
)


@dataclass(frozen=True, slots=True)
class _Automation:
    """What is to be done once something has happened."""

    name: str
    title: str
    description: str
    due: Callable[[date], date]
    is_about_deal: bool
    """Whether the deal says better what it is about than the activity."""


_FOLLOW_UP = _Automation(
    "proposal_follow_up",
    "Follow up on the proposal: ",
    "Proposal follow-up: ask what they think of what was sent",
    lambda today: today + timedelta(days=_PROPOSAL_DAYS),
    is_about_deal=True,
)
_NOTES = _Automation(
    "meeting_notes",
    "Send the notes: ",
    "Meeting notes: send everybody what was said and who does what",
    next_working_day,
    is_about_deal=False,
)


async def follow_up_proposal(event: Happened, call: Call) -> None:
    """Once a proposal was sent, there is a task to follow up on it in three days."""
    if event.type == "proposal_sent" and _has_happened(event) and call.settings.follow_up_proposals:
        await _make(_FOLLOW_UP, event, call)


async def send_meeting_notes(event: Happened, call: Call) -> None:
    """Once a meeting was held, there is a task to send its notes on the next working day."""
    if event.type == "meeting" and _has_happened(event) and call.settings.send_meeting_notes:
        await _make(_NOTES, event, call)


REACTIONS: tuple[Reaction, ...] = tuple(
    on(event, may=MAY)(reaction)
    for event in (ActivityCreated, ActivityCompleted)
    for reaction in (follow_up_proposal, send_meeting_notes)
)


def _has_happened(event: Happened) -> bool:
    return isinstance(event, ActivityCompleted) or event.status == "completed"


async def _make(automation: _Automation, event: Happened, call: Call) -> None:
    """The task is there, once; it belongs to the owner of the activity, and points at what that points at."""
    # of an activity that is only now made there is none yet
    made = {"activity_id": event.record_id, "automation": automation.name}
    if isinstance(event, ActivityCompleted) and await call.rows(_made, made):
        return
    found = await seen(call, {"deal_id": event.deal_id, "contact_id": event.contact_id})
    about = event.description
    if automation.is_about_deal and "deal_id" in found:
        kind, deal = found["deal_id"]
        if deal["owner_id"] == event.owner_id:  # to whom the task belongs: others may not know its title
            about = deal[kind.title]
    values: dict[str, Any] = {name: record["id"] for name, (_, record) in found.items()}
    values |= {
        "title": cut((automation.title + " ".join(about.split())).strip()),
        "description": f"{automation.description}.\n\n{event.description}",
        "due_date": automation.due(call.today),
        "related_activity_id": event.record_id,
        "automation": automation.name,
    }
    await add(call, values)
