"""Completing, cancelling and rescheduling, as a caller sees it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Conflict, Forbidden, Invalid, NotFound
from sixty.people import add_grant

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
Activity = dict[str, Any]


@pytest.fixture
def plugins(with_crm: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    return with_crm


async def scheduled(who: Client, **given: Any) -> Activity:
    """A meeting tomorrow, unless given otherwise."""
    wanted = {"type": "meeting", "description": "Demo", "scheduled_at": "2026-03-03T14:00:00+00:00", **given}
    activity: Activity = (await who.call("create_activity", **wanted))["activity"]
    return activity


# -- completing


async def test_a_scheduled_activity_is_held(sixty: Organisation, listener: Any) -> None:
    user = sixty.as_role("user")
    before = await scheduled(user, notes="Bring the quote")
    listener.heard.clear()
    sixty.clock.advance(timedelta(days=1, hours=5))
    saved = await user.call("complete_activity", activity_id=before["id"], outcome="They sign", notes="Call on Friday")
    assert saved["message"] == 'Meeting "Demo" is completed'
    assert saved["activity"] == {
        **before,
        "status": "completed",
        "completed_at": "2026-03-03T14:30:00Z",
        "updated_at": "2026-03-03T14:30:00Z",
        "outcome": "They sign",
        "notes": "Bring the quote\n\nCall on Friday",
        "version": 2,
    }
    (event,) = listener.heard
    assert (event.name, event.record_id, event.type) == ("activity.completed", before["id"], "meeting")


async def test_a_cancelled_one_was_not_held(sixty: Organisation, listener: Any) -> None:
    user = sixty.as_role("user")
    before = await scheduled(user)
    listener.heard.clear()
    saved = await user.call("complete_activity", activity_id=before["id"], status="cancelled", notes="They are ill")
    assert saved["message"] == 'Meeting "Demo" is cancelled'
    assert saved["activity"]["status"] == "cancelled"
    assert saved["activity"]["notes"] == "They are ill"
    assert "completed_at" not in saved["activity"]
    assert listener.names() == []


@pytest.mark.parametrize("status", ["completed", "cancelled"])
async def test_doing_it_twice_changes_nothing_and_says_so(sixty: Organisation, listener: Any, status: str) -> None:
    user = sixty.as_role("user")
    before = await scheduled(user)
    first = await user.call("complete_activity", activity_id=before["id"], status=status, outcome="first")
    listener.heard.clear()
    second = await user.call("complete_activity", activity_id=before["id"], status=status, outcome="second")
    assert second["message"] == f'Meeting "Demo" is {status} already; nothing changed'
    assert second["activity"] == first["activity"]
    assert "change_id" not in second
    assert listener.names() == []


@pytest.mark.parametrize(("first", "second"), [("completed", "cancelled"), ("cancelled", "completed")])
async def test_what_has_ended_one_way_cannot_end_the_other(sixty: Organisation, first: str, second: str) -> None:
    user = sixty.as_role("user")
    made = await scheduled(user)
    await user.call("complete_activity", activity_id=made["id"], status=first)
    with pytest.raises(Conflict, match=f"is {first} and cannot become {second}; undo_change takes that back") as caught:
        await user.call("complete_activity", activity_id=made["id"], status=second)
    assert caught.value.details["status"] == first


async def test_what_was_logged_cannot_be_cancelled(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_activity", type="call", description="Call")
    with pytest.raises(Conflict, match="is completed and cannot become cancelled"):
        await user.call("complete_activity", activity_id=made["activity_id"], status="cancelled")


async def test_undo_makes_it_scheduled_again(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    before = await scheduled(user)
    for status in ("completed", "cancelled"):
        saved = await user.call("complete_activity", activity_id=before["id"], status=status, outcome="x")
        await user.call("undo_change", change_id=saved["change_id"])
        after = (await user.call("search_activities", status="scheduled"))["activities"][0]
        assert {name: after[name] for name in before if name not in ("version", "updated_at")} == {
            name: before[name] for name in before if name not in ("version", "updated_at")
        }
        assert "outcome" not in after
    assert (await user.call("get_upcoming_activities"))["total"] == 1


async def test_an_old_version_is_told_what_changed_since(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    made = await scheduled(user)
    await manager.call("reschedule_activity", activity_id=made["id"], scheduled_at="+3_days", expected_version=1)
    for tool, given in (("complete_activity", {}), ("reschedule_activity", {"scheduled_at": "+4_days"})):
        with pytest.raises(Conflict) as caught:
            await user.call(tool, activity_id=made["id"], expected_version=1, **given)
        assert "scheduled_at" in str(caught.value.details)
    saved = await user.call("complete_activity", activity_id=made["id"], expected_version=2)
    assert saved["activity"]["version"] == 3


async def test_of_two_at_once_one_completes_it_and_the_other_is_told(sixty: Organisation, listener: Any) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    made = await scheduled(user)
    for _ in range(3):
        listener.heard.clear()
        answers = await asyncio.gather(
            *(who.call("complete_activity", activity_id=made["id"], notes="n") for who in (user, manager, admin))
        )
        told = sorted(answer["message"] for answer in answers)
        assert told == ['Meeting "Demo" is completed', *['Meeting "Demo" is completed already; nothing changed'] * 2]
        assert sum("change_id" in answer for answer in answers) == 1
        assert {answer["activity"]["notes"] for answer in answers} == {"n"}
        made = await scheduled(user)
    history = await user.call("search_activities", status="completed")
    assert history["total"] == 3


async def test_of_a_completion_and_a_cancellation_at_once_one_holds(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    made = await scheduled(user)
    answers = await asyncio.gather(
        user.outcome("complete_activity", activity_id=made["id"]),
        manager.outcome("complete_activity", activity_id=made["id"], status="cancelled"),
    )
    refused = [answer.structured["error"]["code"] for answer in answers if answer.is_error]
    assert refused == ["conflict"]


# -- rescheduling


async def test_it_gets_another_time_and_the_reason_is_kept(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    before = await scheduled(user)
    saved = await user.call(
        "reschedule_activity",
        activity_id=before["id"],
        scheduled_at="2026-03-05T09:00:00+01:00",
        reason="Double booked",
    )
    assert saved["message"] == 'Meeting "Demo" moved from 2026-03-03 14:00 (UTC) to 2026-03-05 08:00 (UTC)'
    assert saved["activity"] == {
        **before,
        "scheduled_at": "2026-03-05T08:00:00Z",
        "previous_scheduled_at": "2026-03-03T14:00:00Z",
        "reschedule_reason": "Double booked",
        "version": 2,
    }
    again = await user.call("reschedule_activity", activity_id=before["id"], scheduled_at="+5_days")
    assert "reschedule_reason" not in again["activity"]
    await user.call("undo_change", change_id=again["change_id"])
    back = (await user.call("search_activities"))["activities"][0]
    assert (back["scheduled_at"], back["reschedule_reason"]) == ("2026-03-05T08:00:00Z", "Double booked")


async def test_the_same_time_changes_nothing_and_says_so(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await scheduled(user)
    saved = await user.call(
        "reschedule_activity", activity_id=made["id"], scheduled_at="2026-03-03T15:00:00+01:00", reason="None"
    )
    assert saved["message"] == 'Meeting "Demo" is scheduled for 2026-03-03 14:00 (UTC) already; nothing changed'
    assert saved["activity"] == {**made, "previous_scheduled_at": made["scheduled_at"]}
    assert "change_id" not in saved


@pytest.mark.parametrize("status", ["completed", "cancelled"])
async def test_what_has_ended_has_no_time_to_change(sixty: Organisation, status: str) -> None:
    user = sixty.as_role("user")
    made = await scheduled(user)
    await user.call("complete_activity", activity_id=made["id"], status=status)
    with pytest.raises(Conflict, match=f"is {status} and has no time to change; create_activity schedules another"):
        await user.call("reschedule_activity", activity_id=made["id"], scheduled_at="+1_days")


@pytest.mark.parametrize("when", ["", "9999-12-31T23:59:59-12:00", "+99999_months", 5, "2026-03-03", "🙂"])
async def test_a_bad_time_is_refused(sixty: Organisation, when: object) -> None:
    user = sixty.as_role("user")
    made = await scheduled(user)
    with pytest.raises(Invalid) as caught:
        await user.call("reschedule_activity", activity_id=made["id"], scheduled_at=when)
    assert caught.value.details["field"] == "scheduled_at"


# -- scope


@pytest.mark.parametrize(
    ("tool", "given"), [("complete_activity", {}), ("reschedule_activity", {"scheduled_at": "today"})]
)
async def test_one_ends_ones_own_and_managers_those_of_their_team(
    sixty: Organisation, tool: str, given: dict[str, Any]
) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", role="manager", team="South")
    colleague = await sixty.user("Col League", team="North")
    for who, allowed in ((user, True), (manager, True), (admin, True), (stranger, False), (colleague, False)):
        made = await scheduled(user)
        if allowed:
            assert (await who.call(tool, activity_id=made["id"], **given))["activity"]["owner_id"] == user.user_id
        else:
            with pytest.raises(NotFound, match=f"there is no activity {made['id']} that you can see"):
                await who.call(tool, activity_id=made["id"], **given)


async def test_what_one_may_only_read_says_whose_it_is(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    reader = await sixty.user("Rita Reader", team="South")
    known = ["activities:read"]
    await add_grant(sixty.host.database, "rita.reader@example.com", "activities:read", known=known)
    made = await scheduled(admin)
    await admin.call("complete_activity", activity_id=made["id"], status="cancelled")
    for tool, given in (("complete_activity", {}), ("reschedule_activity", {"scheduled_at": "today"})):
        with pytest.raises(Forbidden, match="it belongs to Ada Admin"):
            await reader.call(tool, activity_id=made["id"], **given)


@pytest.mark.parametrize("wrong", [NOBODY, "42", "", None, 5, "'; --"])
async def test_a_wrong_id_is_told_how_to_find_the_right_one(sixty: Organisation, wrong: object) -> None:
    for tool, given in (("complete_activity", {}), ("reschedule_activity", {"scheduled_at": "today"})):
        with pytest.raises((NotFound, Invalid), match=r"search_|must be text"):
            await sixty.as_role("admin").call(tool, activity_id=wrong, **given)


async def test_deleting_is_undone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await scheduled(user)
    gone = await user.call("delete_record", id=made["id"])
    assert (await user.call("get_upcoming_activities"))["total"] == 0
    await user.call("undo_change", change_id=gone["change_id"])
    assert (await user.call("get_upcoming_activities"))["total"] == 1
