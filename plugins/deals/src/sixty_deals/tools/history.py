"""The tool that tells how a deal came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Arguments, Call, RecordId, counted, tool
from sixty_deals.models import DealHistory, Stay
from sixty_deals.tables import DEAL, STAY

if TYPE_CHECKING:
    from datetime import datetime

    from sixty import Row

__all__ = ["get_deal_history", "stays_of"]


class GetDealHistory(Arguments):
    """The arguments of `get_deal_history`."""

    deal_id: RecordId


@tool("get_deal_history", permission="deals:read", effect="read")
async def get_deal_history(args: GetDealHistory, call: Call) -> DealHistory:
    """List each change of a deal, who made it and in which call, and each stay in a stage with its seconds."""
    deal = await call.records.get(DEAL, args.deal_id)
    history = await call.records.history(DEAL, deal["id"])
    return DealHistory(
        message=f'Deal "{deal["title"]}" has {counted(len(history), "change")}, and is in {deal["stage"]}',
        history=history,
        stages=await stays_of(call, deal["id"]),
    )


async def stays_of(call: Call, deal_id: str) -> list[Stay]:
    """Each stay in a stage of a deal that the caller has read, oldest first."""
    stays = await call.records.details(STAY, deal_id)
    return [_shown(stay, call.now) for stay in sorted(stays, key=lambda stay: (stay["entered_at"], stay["id"]))]


def _shown(stay: Row, now: datetime) -> Stay:
    spent = (stay["left_at"] or now) - stay["entered_at"]
    return Stay(
        stage=stay["stage"],
        from_stage=stay["from_stage"],
        entered_at=stay["entered_at"],
        left_at=stay["left_at"],
        seconds=int(spent.total_seconds()),
        reason=stay["reason"],
    )
