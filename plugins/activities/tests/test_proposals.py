"""The chain: a deal that moves from sql to opportunity has its proposal logged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

Activity = dict[str, Any]


@pytest.fixture
def plugins(with_crm: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    return with_crm


async def deal(who: Client, title: str = "License", **given: Any) -> str:
    return str((await who.call("add_deal", title=title, **given))["id"])


async def proposals(who: Client) -> list[Activity]:
    found: list[Activity] = (await who.call("search_activities", type="proposal_sent"))["activities"]
    return found


async def test_a_proposal_is_logged_with_the_deal_and_its_contact(sixty: Organisation, listener: Any) -> None:
    user = sixty.as_role("user")
    contact = (await user.call("add_contact", first_name="Ann", last_name="Lee"))["id"]
    deal_id = await deal(user, contact_id=contact)
    await user.call("move_deal", deal_id=deal_id, stage="opportunity")
    (logged,) = await proposals(user)
    assert logged["description"] == 'Proposal sent for "License"'
    assert (logged["deal_id"], logged["contact_id"]) == (deal_id, contact)
    assert (logged["status"], logged["completed_at"]) == ("completed", "2026-03-02T09:30:00Z")
    (event,) = listener.heard
    assert (event.name, event.type, event.status, event.deal_id) == (
        "activity.created",
        "proposal_sent",
        "completed",
        deal_id,
    )


@pytest.mark.parametrize(("first", "then"), [("sql", "verbal"), ("verbal", "opportunity"), ("opportunity", "sql")])
async def test_other_moves_log_nothing(sixty: Organisation, first: str, then: str) -> None:
    user = sixty.as_role("user")
    await user.call("move_deal", deal_id=await deal(user, stage=first), stage=then)
    assert await proposals(user) == []


async def test_it_belongs_to_the_owner_of_the_deal_whoever_moves_it(sixty: Organisation) -> None:
    manager, admin = sixty.as_role("manager"), sixty.as_role("admin")
    stranger = await sixty.user("Sam Stranger", team="South")
    contact = (await stranger.call("add_contact", first_name="Ann", last_name="Lee"))["id"]
    deal_id = await deal(stranger, contact_id=contact)
    await manager.call("move_deal", deal_id=deal_id, stage="opportunity")
    assert await proposals(manager) == []
    (logged,) = await proposals(stranger)
    assert (logged["owner_id"], logged["deal_id"], logged["contact_id"]) == (stranger.user_id, deal_id, contact)
    assert await proposals(admin) == [logged]


async def test_a_contact_that_is_gone_keeps_no_deal_from_moving(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = (await user.call("add_contact", first_name="Ann", last_name="Lee"))["id"]
    deal_id = await deal(user, contact_id=contact)
    await user.call("delete_record", id=contact)
    await user.call("move_deal", deal_id=deal_id, stage="opportunity")
    (logged,) = await proposals(user)
    assert logged["deal_id"] == deal_id
    assert "contact_id" not in logged


async def test_it_is_logged_once_unless_it_was_cancelled(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    deal_id = await deal(user)

    async def again() -> None:
        for stage in ("opportunity", "sql"):
            await user.call("move_deal", deal_id=deal_id, stage=stage)

    await again()
    await again()
    assert len(await proposals(user)) == 1
    other = await deal(user, "Other")
    planned = await user.call(
        "create_activity", type="proposal_sent", description="By hand", deal_id=other, scheduled_at="tomorrow"
    )
    await user.call("move_deal", deal_id=other, stage="opportunity")
    assert len(await proposals(user)) == 2
    await user.call("complete_activity", activity_id=planned["activity_id"], status="cancelled")
    await user.call("move_deal", deal_id=other, stage="sql")
    await user.call("move_deal", deal_id=other, stage="opportunity")
    assert sorted(it["status"] for it in await proposals(user)) == ["cancelled", "completed", "completed"]


async def test_two_moves_at_once_log_it_once(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    deal_id = await deal(user)
    await asyncio.gather(*(who.call("move_deal", deal_id=deal_id, stage="opportunity") for who in (user, manager)))
    assert len(await proposals(user)) == 1


async def test_undoing_the_move_takes_it_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    moved = await user.call("move_deal", deal_id=await deal(user), stage="opportunity")
    await user.call("undo_change", change_id=moved["change_id"])
    assert await proposals(user) == []


class TestSwitchedOff:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_ACTIVITIES_LOG_PROPOSALS": "false"}

    async def test_nothing_is_logged(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        await user.call("move_deal", deal_id=await deal(user), stage="opportunity")
        assert await proposals(user) == []
