"""What is said of a stalled deal: why it is on the list, and the task to make of what usually moves such deals on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sixty.crm import ACTIVITIES
from sixty_analytics.models import NextAction, Proposed, Stalled
from sixty_analytics.sums import days

if TYPE_CHECKING:
    from sixty import Call, Row

__all__ = ["advised"]

_MAKE = "create_task"
_VERBS = {
    "call": "Call about",
    "meeting": "Arrange a meeting about",
    "email": "Write an email about",
    "proposal_sent": "Send a proposal for",
}
_LONGEST_TITLE = 255
_URGENT = 2
"""From how many times as long as usual on the task is of high priority."""


def advised(row: Row, usual: float, action: NextAction | str, call: Call) -> Stalled:
    """A stalled deal as it is shown: `usual` are the seconds that are usual in its stage."""
    known = action if isinstance(action, NextAction) else None
    reasons = _reasons(row, usual, call)
    return Stalled(
        deal_id=row["id"],
        title=row["title"],
        owner_id=row["owner_id"],
        owner=call.directory.name_of(row["owner_id"]),
        stage=row["stage"],
        value=row["value"],
        days_in_stage=days(row["seconds"]),
        usual_days=days(usual),
        ratio=round(row["ratio"], 2),
        days_since_activity=None if row["idle"] is None else days(row["idle"]),
        reasons=reasons,
        next_action=known,
        task=_task(row, reasons, known, call) if call.may_call(_MAKE) else None,
    )


def _reasons(row: Row, usual: float, call: Call) -> list[str]:
    stage, closes = row["stage"], row["expected_close_date"]
    found = [
        f"it has been in {stage} for {days(row['seconds'])} days; nine in ten won deals left it in {days(usual)}",
    ]
    if row["idle"] is not None:
        found.append(f"its last activity was {days(row['idle'])} days ago")
    elif ACTIVITIES in call.views:
        found.append("no activity with it that you can see was ever completed")
    if closes is not None and closes < call.today:
        found.append(f"it was expected to close on {closes}")
    if row["contact_id"] is None:
        found.append("it has no contact")
    if row["owner_id"] is None:
        found.append("nobody owns it")
    return found


def _task(row: Row, reasons: list[str], action: NextAction | None, call: Call) -> Proposed:
    """The task to make, for the owner of the deal where the caller may give them one."""
    told = [f"Stalled: {'; '.join(reasons)}."]
    if action is not None:
        told.append(
            f"Before {action.deals} of {action.of} deals went on from {row['stage']}, the last activity was of the type"
            f" {action.type}."
        )
    verb = _VERBS.get(action.type, "Follow up on") if action is not None else "Follow up on"
    arguments: dict[str, Any] = {
        "title": f"{verb} {row['title']}"[:_LONGEST_TITLE],
        "description": " ".join(told),
        "priority": "high" if row["ratio"] >= _URGENT else "medium",
        "deal_id": row["id"],
    }
    owner = call.directory.users.get(row["owner_id"])
    if owner is not None and owner.disabled_at is None and call.reaches(call.scopes("tasks:create"), owner.id):
        arguments["assignee_id"] = owner.id
    return Proposed(tool=_MAKE, arguments=arguments)
