"""What the pack does by itself: a deal that gets a proposal has that logged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sixty import Call, Id, on
from sixty.crm import DealStageChanged
from sixty_activities.making import make
from sixty_activities.tables import activities

__all__ = ["REACTIONS"]

_sent = (
    sa.select(activities.c.id)
    .where(
        activities.c.deal_id == sa.bindparam("deal_id", type_=Id),
        activities.c.type == "proposal_sent",
        activities.c.status != "cancelled",
    )
    .limit(1)
)


@on(DealStageChanged, may=("activities:create", "activities:read"))
async def log_proposal(event: DealStageChanged, call: Call) -> None:
    """A deal that moves from sql to opportunity has a `proposal_sent` activity, unless it has one already."""
    if not call.settings.log_proposals or (event.from_stage, event.to_stage) != ("sql", "opportunity"):
        return
    if await call.rows(_sent, {"deal_id": event.record_id}):
        return
    given: dict[str, Any] = {
        "type": "proposal_sent",
        "description": f'Proposal sent for "{event.title}"',
        "deal_id": event.record_id,
    }
    if event.contact_id is not None and await call.records.locate(event.contact_id) is not None:
        given["contact_id"] = event.contact_id  # who may have been deleted since they were put into the deal
    await make(call, given)


REACTIONS = (log_proposal,)
