"""Analytics over what the packs themselves write: from a deal that is made to the task that gets it going again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation


@pytest.fixture
def plugins() -> None:
    """All that are installed."""


async def win(sixty: Organisation, who: Client, days: int) -> None:
    """A deal is worked on in `sql` for so many days, and won after a meeting."""
    made = await who.call("create_deal", title=f"Deal of {days} days", company_name="Acme", value=1000)
    sixty.clock.advance(timedelta(days=days))
    await who.call("create_activity", type="meeting", description="Agree", deal_id=made["deal_id"])
    sixty.clock.advance(timedelta(hours=1))
    await who.call("move_deal_stage", deal_id=made["deal_id"], stage="verbal")
    await who.call("move_deal_stage", deal_id=made["deal_id"], stage="signed")


async def test_a_stalled_deal_gets_the_task_that_is_offered(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    for days in (1, 2, 3, 4, 5):
        await win(sixty, user, days)
    stuck = await user.call("create_deal", title="Enterprise License", company_name="Globex", value=500)
    lost = await user.call("create_deal", title="Pilot", company_name="Initech")
    await user.call("update_deal", deal_id=lost["deal_id"], updates={"status": "lost"})
    sixty.clock.advance(timedelta(days=30))
    told = await manager.call("get_pipeline_metrics")
    assert told["message"] == "1 open deal now, worth 500.00, 50.00 weighted by stage; 1 stalled"
    (deal,) = told["stalled"]
    assert deal["next_action"] == {"type": "meeting", "share": 1, "deals": 5, "of": 5}
    task = await manager.call(deal["task"]["tool"], **deal["task"]["arguments"])
    assert (task["task"]["title"], task["task"]["deal_id"]) == (
        "Arrange a meeting about Enterprise License",
        stuck["deal_id"],
    )
    assert task["task"]["assignee_id"] == user.user_id
    rates = await manager.call("calculate_conversion_rates")
    assert [(stage["entered"], stage["converted"]) for stage in rates["stages"]] == [(7, 5), (0, 0), (5, 5)]
    assert (rates["overall"]["won"], rates["overall"]["lost"], rates["overall"]["open"]) == (5, 1, 1)
    uma = next(one for one in (await manager.call("get_team_performance"))["members"] if one["user_id"] == user.user_id)
    assert (uma["won_value"], uma["activities"]["meeting"], uma["open"]) == (5000, 5, 1)
    before = await manager.call("get_pipeline_metrics", as_of=str((sixty.clock() - timedelta(days=30)).date()))
    assert before["totals"]["count"] == 1
    heat = await manager.call("get_activity_heatmap")
    assert heat["total"] == sum(uma["activities"].values())
