"""How an activity comes to be, whoever asks for it: with a time of its own when planned, and now when it is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sixty.crm import ActivityCreated
from sixty_activities.tables import ACTIVITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty import Call, Row

__all__ = ["make"]


async def make(call: Call, given: Mapping[str, Any], owner_id: str | None = None) -> Row:
    """A new activity, scheduled if it has a `scheduled_at` and else held now; others have been told of it."""
    if given.get("scheduled_at") is not None:
        standing = {"status": "scheduled", "happens_at": given["scheduled_at"]}
    else:
        standing = {"status": "completed", "happens_at": call.now, "completed_at": call.now}
    activity = await call.records.add(ACTIVITY, {**given, **standing}, owner_id=owner_id)
    call.publish(
        ActivityCreated(
            record_id=activity["id"],
            owner_id=activity["owner_id"],
            type=activity["type"],
            status=activity["status"],
            description=activity["description"],
            deal_id=activity["deal_id"],
            contact_id=activity["contact_id"],
        )
    )
    return activity
