"""A deal as a resource: what there is to know of it at one address."""

from __future__ import annotations

from pydantic import BaseModel

from sixty import Arguments, Call, RecordId, resource
from sixty_deals.models import Deal, Stay
from sixty_deals.tables import DEAL
from sixty_deals.tools.history import stays_of

__all__ = ["DEAL_ADDRESS", "deal_page"]

DEAL_ADDRESS = "crm://deals/{id}"


class OneDeal(Arguments):
    """The variable of the address."""

    id: RecordId


class DealPage(BaseModel):
    """A deal, who owns it, and each stay in a stage, oldest first."""

    deal: Deal
    owner: str | None = None
    stages: list[Stay]


@resource(DEAL_ADDRESS, name="Deal", permission="deals:read", record="id")
async def deal_page(args: OneDeal, call: Call) -> DealPage:
    """A deal, who owns it, and how long it was in each stage."""
    deal = await call.records.get(DEAL, args.id)
    return DealPage(
        deal=Deal.model_validate(deal),
        owner=call.directory.name_of(deal["owner_id"]),
        stages=await stays_of(call, deal["id"]),
    )
