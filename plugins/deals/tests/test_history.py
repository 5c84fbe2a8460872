"""How a deal came to be what it is, and what other packs are told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty import Arguments, Call, NotFound, Result, hookimpl, tool
from sixty.crm import DEALS, STAGE_CHANGES
from sixty_deals import plugin as deals

if TYPE_CHECKING:
    from sixty import Tool
    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
Deal = dict[str, Any]


class Nothing(Arguments):
    """No arguments at all."""


class Observer:
    """A pack that reads what deals publish."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    @hookimpl
    def sixty_tools(self) -> list[Tool]:
        everything = {
            view: sa.select(view.table).order_by(*(view.c[name] for name in order))
            for view, order in ((DEALS, ("title",)), (STAGE_CHANGES, ("deal_id", "entered_at")))
        }

        @tool("look_at_deals", permission="deals:read", effect="read", needs=(DEALS,))
        async def look_at_deals(args: Nothing, call: Call) -> Result:
            """Look at the view of deals."""
            self.rows = await call.rows(everything[DEALS])
            return Result(message="Seen")

        @tool("look_at_moves", permission="deals:read", effect="read", needs=(STAGE_CHANGES,))
        async def look_at_moves(args: Nothing, call: Call) -> Result:
            """Look at the view of moves."""
            self.rows = await call.rows(everything[STAGE_CHANGES])
            return Result(message="Seen")

        return [look_at_deals, look_at_moves]


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer()


@pytest.fixture
def plugins(observer: Observer) -> tuple[tuple[str, object], ...]:
    return (("deals", deals), ("observer", observer))


async def test_every_change_is_told_with_who_when_and_in_which_call(sixty: Organisation, acme: Deal) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    made = await user.call("create_deal", **acme, value=100)
    sixty.clock.advance(timedelta(hours=1))
    changed = await manager.call("update_deal", deal_id=made["deal_id"], updates={"value": 250.5, "notes": "more"})
    told = await user.call("get_deal_history", deal_id=made["deal_id"])
    created, *changes = told["history"]
    assert created == {
        "at": "2026-03-02T09:30:00+00:00",
        "by": "Uma User",
        "field": "record",
        "from": None,
        "to": "created",
        "call": made["change_id"],
    }
    common = {"at": "2026-03-02T10:30:00+00:00", "by": "Max Manager", "call": changed["change_id"]}
    assert sorted(changes, key=lambda change: change["field"]) == [
        {**common, "field": "notes", "from": None, "to": "more"},
        {**common, "field": "value", "from": 100, "to": 250.5},
    ]


async def test_each_stay_in_a_stage_has_its_seconds(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    sixty.clock.advance(timedelta(days=2))
    await user.call("move_deal_stage", deal_id=deal_id, stage="verbal", reason="skipped one")
    sixty.clock.advance(timedelta(hours=1))
    await user.call("move_deal_stage", deal_id=deal_id, stage="sql")
    sixty.clock.advance(timedelta(seconds=5))
    told = await user.call("get_deal_history", deal_id=deal_id)
    assert told["stages"] == [
        {"stage": "sql", "entered_at": "2026-03-02T09:30:00Z", "left_at": "2026-03-04T09:30:00Z", "seconds": 172_800},
        {
            "stage": "verbal",
            "from_stage": "sql",
            "entered_at": "2026-03-04T09:30:00Z",
            "left_at": "2026-03-04T10:30:00Z",
            "seconds": 3600,
            "reason": "skipped one",
        },
        {"stage": "sql", "from_stage": "verbal", "entered_at": "2026-03-04T10:30:00Z", "seconds": 5},
    ]


async def test_a_deal_that_is_not_there_has_no_history(sixty: Organisation) -> None:
    with pytest.raises(NotFound, match=f"there is no deal {NOBODY} that you can see; search_deals finds the right id"):
        await sixty.as_role("user").call("get_deal_history", deal_id=NOBODY)


async def test_the_view_of_deals_keeps_its_promises(sixty: Organisation, acme: Deal, observer: Observer) -> None:
    admin, user = sixty.as_role("admin"), sixty.as_role("user")
    made = await admin.call(
        "create_deal", **acme, stage="verbal", monthly_mrr=0.1, owner_id=user.user_id, expected_close_date="tomorrow"
    )
    await user.call("look_at_deals")
    (row,) = observer.rows
    morning = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert row == {
        "id": made["deal_id"],
        "owner_id": user.user_id,
        "title": "Enterprise License",
        "company_name": "Acme",
        "contact_id": None,
        "stage": "verbal",
        "status": "open",
        "value": Decimal("0.30"),
        "probability": 0.75,
        "expected_close_date": datetime(2026, 3, 3, tzinfo=UTC).date(),
        "contract_end_date": None,
        "opened_at": morning,
        "closed_at": None,
        "created_at": morning,
        "updated_at": morning,
        "stage_entered_at": morning,
        "path": "verbal",
    }


async def test_the_view_of_moves_keeps_its_promises(sixty: Organisation, acme: Deal, observer: Observer) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    moved = sixty.clock.advance(timedelta(days=1))
    await user.call("move_deal_stage", deal_id=deal_id, stage="signed")
    await user.call("look_at_moves")
    common = {"deal_id": deal_id, "owner_id": user.user_id}
    assert observer.rows == [
        {**common, "from_stage": None, "to_stage": "sql", "entered_at": moved - timedelta(days=1), "left_at": moved},
        {**common, "from_stage": "sql", "to_stage": "signed", "entered_at": moved, "left_at": None},
    ]


class TestWithOtherWeights:
    """Probabilities are settings, in the view as in the forecast."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_DEALS_PROBABILITY_VERBAL": "0.8"}

    async def test_the_view_has_them(self, sixty: Organisation, acme: Deal, observer: Observer) -> None:
        user = sixty.as_role("user")
        await user.call("create_deal", **acme, stage="verbal")
        await user.call("look_at_deals")
        assert observer.rows[0]["probability"] == 0.8
