"""A day at a sales desk, as calls of every tool: the examples of docs/tools.md."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference import Told

__all__ = ["tell"]


async def tell(told: Told) -> None:
    """Every tool of every pack is called at least once; its first call is its example."""
    say, clock = told.say, told.organisation.clock
    user = told.organisation.as_role("user")
    made = await say(
        "create_deal",
        title="Enterprise License",
        company_name="Acme",
        value=50_000,
        expected_close_date="2026-03-31",
    )
    deal_id = made["deal_id"]
    clock.advance(timedelta(days=2))
    await say("move_deal_stage", deal_id=deal_id, stage="opportunity", reason="Budget confirmed")
    changed = await say("update_deal", deal_id=deal_id, updates={"value": 45_000, "notes": "Wants a pilot first"})
    await say("undo_change", change_id=changed["change_id"])
    await say("split_deal_revenue", by="admin", deal_id=deal_id, monthly_mrr=4_000, one_off_revenue=38_000)
    await say("search_deals", query="enterprise", stage="opportunity")
    await say("forecast_revenue", period="quarter")
    await say("get_deal_history", deal_id=deal_id)
    await say("search_crm", query="licence acme")
    await say("get_record", id=deal_id)
    await say("explain_access", tool="delete_deal")
    lost = await user.call("create_deal", title="A mistake", company_name="Nobody")
    await say("delete_deal", by="manager", deal_id=lost["deal_id"], reason="Made by mistake")
    lost = await user.call("create_deal", title="Another mistake", company_name="Nobody")
    await say("delete_record", by="manager", id=lost["deal_id"])
