"""Logging and scheduling activities, one or many, as a caller sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Forbidden, Invalid, NotFound
from sixty_activities.tables import activities

if TYPE_CHECKING:
    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
NOW = "2026-03-02T09:30:00Z"


@pytest.fixture
def plugins(with_crm: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    return with_crm


# -- one


async def test_without_a_time_it_has_happened_now(sixty: Organisation, listener: Any) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_activity", type="call", description="  Ask about the budget ")
    assert made["message"] == 'Call "Ask about the budget" logged'
    activity = made["activity"]
    assert activity["id"] == made["activity_id"]
    assert (activity["status"], activity["completed_at"], activity["owner_id"]) == ("completed", NOW, user.user_id)
    assert activity["description"] == "Ask about the budget"
    assert not {"scheduled_at", "deal_id", "notes", "happens_at"} & set(activity)
    (event,) = listener.heard
    assert (event.name, event.status, event.record_id) == ("activity.created", "completed", activity["id"])


async def test_with_a_time_it_is_scheduled(sixty: Organisation, listener: Any) -> None:
    given = {"duration_minutes": 45, "notes": "Ünïcode 🙂 and a ' quote"}
    made = await sixty.as_role("user").call(
        "create_activity", type="meeting", description="Demo", scheduled_at="2026-03-03T14:00:00+02:00", **given
    )
    assert made["message"] == 'Meeting "Demo" scheduled for 2026-03-03 12:00 (UTC)'
    assert {name: made["activity"][name] for name in given} == given
    assert made["activity"]["scheduled_at"] == "2026-03-03T12:00:00Z"
    assert made["activity"]["status"] == "scheduled"
    assert "completed_at" not in made["activity"]
    assert [event.status for event in listener.heard] == ["scheduled"]


async def test_one_may_schedule_what_has_passed_and_is_told_what_to_do(sixty: Organisation) -> None:
    made = await sixty.as_role("user").call("create_activity", type="task", description="Late", scheduled_at="-2_days")
    assert made["activity"]["status"] == "scheduled"
    assert made["message"].endswith("2026-02-28 09:30 (UTC), which has passed; complete_activity says that it was held")


async def test_email_sent_is_an_email(sixty: Organisation) -> None:
    made = await sixty.as_role("user").call("create_activity", type="email_sent", description="The quote")
    assert made["activity"]["type"] == "email"
    assert made["message"] == 'E-mail "The quote" logged'


async def test_an_outcome_is_for_what_has_happened(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_activity", type="call", description="Call", outcome="They want a demo")
    assert made["activity"]["outcome"] == "They want a demo"
    with pytest.raises(Invalid, match="complete_activity takes that of a scheduled activity"):
        await user.call("create_activity", type="call", description="Call", outcome="Yes", scheduled_at="tomorrow")


@pytest.mark.parametrize("text", ["x" * 10_000, "🙂" * 10_000, "שלום עולם", "a\n\tb", "' OR 1=1 --", "\u202eabc"])
async def test_a_description_is_stored_as_it_came_and_quoted_shortly(sixty: Organisation, text: str) -> None:
    made = await sixty.as_role("user").call("create_activity", type="call", description=text)
    assert made["activity"]["description"] == text
    assert len(made["message"]) < 120


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("type", "fax", "'email_sent' or 'task'"),
        ("type", None, "type"),
        ("description", "", "must not be empty"),
        ("description", " \n", "must not be empty"),
        ("description", "x" * 10_001, "at most 10000 characters"),
        ("description", "a\x00b", "null character"),
        ("description", 5, "must be text"),
        ("deal_id", "42", "is not an id"),
        ("scheduled_at", "soon", "must be a time with an offset"),
        ("scheduled_at", "2026-03-03T14:00:00", "must be a time with an offset"),
        ("duration_minutes", 0, "at least 1"),
        ("duration_minutes", 1441, "at most 1440"),
        ("duration_minutes", "30", "whole number"),
        ("notes", "x" * 10_001, "at most 10000"),
    ],
)
async def test_a_value_out_of_range_is_refused_by_name_and_rule(
    sixty: Organisation, field: str, value: object, rule: str
) -> None:
    given = {"type": "call", "description": "Call", field: value}
    with pytest.raises(Invalid, match=rule) as caught:
        await sixty.as_role("user").call("create_activity", **given)
    assert caught.value.details["field"] == field
    assert await sixty.count(activities) == 0


async def test_it_points_at_records_that_one_can_see(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    contact = (await user.call("add_contact", first_name="Ann", last_name="Lee"))["id"]
    deal = (await user.call("add_deal", title="License"))["id"]
    theirs = (await admin.call("add_deal", title="Secret"))["id"]
    made = await user.call("create_activity", type="call", description="Call", deal_id=deal, contact_id=contact)
    assert (made["activity"]["deal_id"], made["activity"]["contact_id"]) == (deal, contact)
    for hidden in (NOBODY, theirs):
        with pytest.raises(NotFound, match=f"deal_id: there is no deal {hidden} that you can see"):
            await user.call("create_activity", type="call", description="Call", deal_id=hidden)
    with pytest.raises(Invalid, match="contact_id must be the id of a contact"):
        await user.call("create_activity", type="call", description="Call", contact_id=deal)


async def test_it_is_made_for_somebody_in_ones_own_write_scope(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    with pytest.raises(Forbidden, match="Max Manager"):
        await user.call("create_activity", type="call", description="Call", owner_id=manager.user_id)
    with pytest.raises(Forbidden, match="Sam Stranger"):
        await manager.call("create_activity", type="call", description="Call", owner_id=stranger.user_id)
    for whose, who in ((user, manager), (stranger, admin)):
        made = await who.call("create_activity", type="call", description="Call", owner_id=whose.user_id)
        assert made["activity"]["owner_id"] == whose.user_id
    with pytest.raises(NotFound, match="there is no user"):
        await admin.call("create_activity", type="call", description="Call", owner_id=NOBODY)


async def test_undo_takes_it_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_activity", type="call", description="Call")
    await user.call("undo_change", change_id=made["change_id"])
    assert (await user.call("search_activities"))["total"] == 0
    with pytest.raises(NotFound):
        await user.call("get_record", id=made["activity_id"])


# -- many


def item(number: int, **given: Any) -> dict[str, Any]:
    return {"type": "call", "description": f"Call {number}", "scheduled_at": "+1_days", **given}


async def test_each_of_many_stands_alone_and_results_are_in_order(sixty: Organisation, listener: Any) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    theirs = (await admin.call("add_deal", title="Secret"))["id"]
    wanted = [
        item(0),
        item(1, type="fax"),
        item(2, deal_id=theirs),
        "not an object",
        item(4, owner_id=admin.user_id),
        item(5, unknown=1),
        {"type": "email_sent", "description": "Call 6"},
        item(7, scheduled_at="soon"),
    ]
    answer = await user.call("bulk_schedule_activities", activities=wanted)
    assert (answer["total"], answer["successful"], answer["failed"]) == (8, 2, 6)
    assert answer["message"] == "Saved 2 of 8 activities, and 6 failed; the results say why"
    results = answer["results"]
    assert [result["success"] for result in results] == [True, *[False] * 5, True, False]
    codes = [result["error"]["code"] for result in results if not result["success"]]
    assert codes == ["invalid", "not_found", "invalid", "forbidden", "invalid", "invalid"]
    assert results[1]["error"]["field"] == "type"
    assert "got 'not an object'" in results[3]["error"]["message"]
    assert "unknown argument 'unknown'" in results[5]["error"]["message"]
    kept = {activity["id"]: activity for activity in (await user.call("search_activities"))["activities"]}
    assert [kept[results[n]["id"]]["description"] for n in (0, 6)] == ["Call 0", "Call 6"]
    assert len(kept) == await sixty.count(activities) == 2
    assert listener.names() == ["activity.created"] * 2


async def test_a_hundred_good_ones_are_all_kept_and_undone_at_once(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    answer = await user.call("bulk_schedule_activities", activities=[item(number) for number in range(100)])
    assert answer["message"] == "Saved all of 100 activities"
    assert answer["successful"] == await sixty.count(activities) == 100
    await user.call("undo_change", change_id=answer["change_id"])
    assert await sixty.count(activities) == 0


async def test_when_all_fail_nothing_is_written_and_the_answer_says_so(sixty: Organisation) -> None:
    answer = await sixty.as_role("user").call("bulk_schedule_activities", activities=[{}, None, [], 5])
    assert answer["message"] == "Saved none of 4 activities; the results say why"
    assert (answer["successful"], answer["failed"]) == (0, 4)
    assert "change_id" not in answer
    assert await sixty.count(activities) == 0


@pytest.mark.parametrize("count", [0, 101])
async def test_none_and_more_than_a_hundred_are_refused(sixty: Organisation, count: int) -> None:
    with pytest.raises(Invalid, match="activities must have at") as caught:
        await sixty.as_role("user").call("bulk_schedule_activities", activities=[item(n) for n in range(count)])
    assert caught.value.details["field"] == "activities"
    assert await sixty.count(activities) == 0


async def test_clients_are_shown_what_an_item_has_to_be(sixty: Organisation) -> None:
    tools = sixty.host.registry.tools
    shown = tools["bulk_schedule_activities"].input_schema["properties"]["activities"]
    assert shown["items"] == tools["create_activity"].input_schema
    assert (shown["minItems"], shown["maxItems"]) == (1, 100)


async def test_the_same_key_schedules_once(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("once")
    answers = await asyncio.gather(*(user.call("bulk_schedule_activities", activities=[item(1)]) for _ in range(3)))
    assert await sixty.count(activities) == 1
    assert len({answer["results"][0]["id"] for answer in answers}) == 1


async def test_two_people_at_once_keep_all_of_theirs(sixty: Organisation) -> None:
    many = [item(number) for number in range(20)]
    people = (sixty.as_role("user"), sixty.as_role("manager"), sixty.as_role("admin"))
    answers = await asyncio.gather(*(who.call("bulk_schedule_activities", activities=many) for who in people))
    assert [answer["successful"] for answer in answers] == [20, 20, 20]
    assert await sixty.count(activities) == 60
