"""What the pack publishes for others to query: `DEALS` and `STAGE_CHANGES` of `sixty.crm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty import Published
from sixty.crm import DEALS, STAGE_CHANGES
from sixty_deals.tables import WORTH, deal_stages, deals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from sixty_deals.rules import Stage

__all__ = ["published"]

_stays = sa.select(
    deal_stages.c.deal_id,
    # no join: only so does a statement that does not ask for the owner leave the deals alone
    sa.select(deals.c.owner_id).where(deals.c.id == deal_stages.c.deal_id).scalar_subquery().label("owner_id"),
    deal_stages.c.from_stage,
    deal_stages.c.stage.label("to_stage"),
    deal_stages.c.entered_at,
    deal_stages.c.left_at,
)


def published(weights: Mapping[Stage, Decimal]) -> tuple[Published, ...]:
    """The views, with these weights of the stages."""
    weight = sa.case(
        {stage: sa.literal(float(share), sa.Float) for stage, share in weights.items()}, value=deals.c.stage
    )
    pipeline = sa.select(
        deals.c.id,
        deals.c.owner_id,
        deals.c.title,
        deals.c.company_name,
        deals.c.contact_id,
        deals.c.stage,
        deals.c.status,
        WORTH.label("value"),
        weight.label("probability"),
        deals.c.expected_close_date,
        deals.c.contract_end_date,
        deals.c.stage_entered_at,
        deals.c.path,
        deals.c.opened_at,
        deals.c.closed_at,
        deals.c.created_at,
        deals.c.updated_at,
    )
    return Published(DEALS, pipeline), Published(STAGE_CHANGES, _stays)
