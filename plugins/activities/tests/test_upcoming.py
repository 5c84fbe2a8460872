"""What is coming, and what should have happened, with the names of what it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Invalid, NotFound
from sixty_activities import plugin

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def plugins(with_crm: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    return with_crm


async def add(who: Client, description: str, when: str, **given: Any) -> str:
    """A meeting at that time; its id."""
    wanted = {"type": "meeting", "description": description, "scheduled_at": when, **given}
    return str((await who.call("create_activity", **wanted))["activity_id"])


async def upcoming(who: Client, **arguments: Any) -> list[str]:
    return [it["description"] for it in (await who.call("get_upcoming_activities", **arguments))["activities"]]


async def test_overdue_ones_come_first_and_then_the_soonest(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "next week", "2026-03-09T23:59:00+00:00")
    await add(user, "tomorrow", "tomorrow")
    await add(user, "late", "-2_days")
    await add(user, "too far", "2026-03-10T00:00:00+00:00")
    await add(user, "now", "today")
    await user.call("create_activity", type="meeting", description="held")
    cancelled = await add(user, "cancelled", "tomorrow")
    await user.call("complete_activity", activity_id=cancelled, status="cancelled")
    answer = await user.call("get_upcoming_activities")
    assert [it["description"] for it in answer["activities"]] == ["late", "now", "tomorrow", "next week"]
    assert [it["overdue"] for it in answer["activities"]] == [True, False, False, False]
    assert answer["message"] == "Until 2026-03-09 (UTC): found 4 activities; 1 overdue"
    assert (answer["until"], answer["timezone"]) == ("2026-03-09", "UTC")
    assert await upcoming(user, include_overdue=False) == ["now", "tomorrow", "next week"]
    assert await upcoming(user, days_ahead=0) == ["late", "now"]
    assert await upcoming(user, days_ahead=365) == ["late", "now", "tomorrow", "next week", "too far"]
    sixty.clock.advance(timedelta(minutes=1))
    assert (await user.call("get_upcoming_activities", days_ahead=0))["message"].endswith("; 2 overdue")


async def test_types_and_owners_narrow(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    await add(user, "mail", "tomorrow", type="email")
    await add(user, "meeting", "tomorrow")
    await add(manager, "theirs", "tomorrow")
    assert await upcoming(user, type_filter="email_sent") == ["mail"]
    assert await upcoming(manager, owner_id=user.user_id, type_filter="meeting") == ["meeting"]
    assert set(await upcoming(manager)) == {"mail", "meeting", "theirs"}
    assert await upcoming(user, owner_id=manager.user_id) == []
    with pytest.raises(NotFound, match="owner_id: there is no user"):
        await user.call("get_upcoming_activities", owner_id=NOBODY)


async def test_emptiness_says_until_when(sixty: Organisation) -> None:
    answer = await sixty.as_role("user").call("get_upcoming_activities", days_ahead=1)
    assert answer["message"] == "Nothing that you can see is scheduled until 2026-03-03 (UTC)"
    assert (answer["count"], answer["total"]) == (0, 0)


@pytest.mark.parametrize("days", [-1, 366, 1.5, "7", 10**400])
async def test_days_out_of_range_are_refused(sixty: Organisation, days: object) -> None:
    with pytest.raises(Invalid, match="days_ahead"):
        await sixty.as_role("user").call("get_upcoming_activities", days_ahead=days)


async def test_pages_lead_through_all_of_them(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for n in range(5):
        await add(user, str(n), f"+{n}_days")
    first = await user.call("get_upcoming_activities", limit=3)
    assert first["message"] == "Until 2026-03-09 (UTC): 3 of 5 activities; next_cursor leads on"
    second = await user.call("get_upcoming_activities", limit=3, cursor=first["next_cursor"])
    assert [it["description"] for it in first["activities"] + second["activities"]] == list("01234")


async def test_each_has_the_title_of_its_deal_and_the_name_of_its_contact(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = (await user.call("add_contact", first_name="Ann", last_name="Lee"))["id"]
    deal = (await user.call("add_deal", title="License"))["id"]
    await add(user, "both", "tomorrow", deal_id=deal, contact_id=contact)
    await add(user, "none", "+2_days")
    both, none = (await user.call("get_upcoming_activities"))["activities"]
    assert (both["deal_title"], both["contact_name"]) == ("License", "Ann Lee")
    assert not {"deal_title", "contact_name"} & set(none)
    await user.call("delete_record", id=deal)
    assert "deal_title" not in (await user.call("get_upcoming_activities"))["activities"][0]


async def test_a_name_that_one_may_not_read_is_not_shown(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    contact = (await admin.call("add_contact", first_name="Hidden", last_name="Person"))["id"]
    deal = (await admin.call("add_deal", title="Hidden deal"))["id"]
    await add(admin, "of the user", "tomorrow", deal_id=deal, contact_id=contact, owner_id=user.user_id)
    outcome = await user.outcome("get_upcoming_activities")
    assert [it["description"] for it in outcome.structured["activities"]] == ["of the user"]
    assert "Hidden" not in str(outcome.structured)
    shown = (await admin.call("get_upcoming_activities"))["activities"][0]
    assert (shown["deal_title"], shown["contact_name"]) == ("Hidden deal", "Hidden Person")


async def test_each_sees_what_is_theirs_to_see(sixty: Organisation) -> None:
    stranger = await sixty.user("Sam Stranger", team="South")
    people = [*(sixty.as_role(role) for role in ("user", "manager", "admin")), stranger]
    for who in people:
        await add(who, who.user_id, "tomorrow")
    totals = [(await who.call("get_upcoming_activities"))["total"] for who in people]
    assert totals == [1, 3, 4, 1]


class TestAlone:
    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        return (("activities", plugin),)

    async def test_without_deals_and_contacts_there_are_no_names(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        await add(user, "alone", "tomorrow")
        assert await upcoming(user) == ["alone"]


class TestInAuckland:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_TIMEZONE": "Pacific/Auckland"}

    async def test_a_day_ends_at_midnight_there_also_when_the_clocks_change(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")  # it is 22:30 on 2 March there; summer time ends on 5 April
        await add(user, "last", "2026-04-05T23:59:00+12:00")
        await add(user, "beyond", "2026-04-06T00:00:00+12:00")
        answer = await user.call("get_upcoming_activities", days_ahead=34)
        assert [it["description"] for it in answer["activities"]] == ["last"]
        assert answer["message"] == "Until 2026-04-05 (Pacific/Auckland): found 1 activity"
