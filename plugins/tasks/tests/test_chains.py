"""The tasks that follow from activities, as they are made beside stand-ins for the packs around."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from task_neighbours import ALL, Listener, granting

from sixty import Conflict, Forbidden, Invalid, NotFound
from sixty.tables import audit, changes
from sixty.testing import InternalError
from sixty_tasks import plugin
from sixty_tasks.tables import tasks

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

Task = dict[str, Any]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def plugins(listener: Listener) -> tuple[tuple[str, object], ...]:
    listener.heard.clear()
    return (*ALL, ("tasks", plugin), ("listener", listener))


async def log(who: Client, type_: str, description: str = "Sent by mail", /, **given: Any) -> str:
    """The id of a new activity."""
    return str((await who.call("create_activity", type=type_, description=description, **given))["id"])


async def found(who: Client, **given: Any) -> list[Task]:
    """The tasks that somebody sees."""
    return list((await who.call("search_tasks", **given))["tasks"])


async def test_a_proposal_that_was_sent_makes_a_task_to_follow_up_on_it(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    deal = (await user.call("add_deal", title="Enterprise License"))["id"]
    contact = (await user.call("add_contact", first_name="Ann", last_name="Ash"))["id"]
    activity = await log(user, "proposal_sent", deal_id=deal, contact_id=contact)
    (task,) = await found(user)
    assert task["title"] == "Follow up on the proposal: Enterprise License"
    assert task["description"].startswith("Proposal follow-up")
    assert task["description"].endswith("Sent by mail")
    assert task["due_date"] == "2026-03-05"
    assert (task["deal_id"], task["contact_id"], task["related_activity_id"]) == (deal, contact, activity)
    assert (task["status"], task["priority"], task["automation"]) == ("open", "medium", "proposal_follow_up")
    assert task["owner_id"] == task["assignee_id"] == user.user_id


async def test_the_follow_up_is_three_days_on_weekends_included(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    sixty.clock.advance(timedelta(days=3))  # a Thursday
    await log(user, "proposal_sent")
    assert [task["due_date"] for task in await found(user)] == ["2026-03-08"]


async def test_without_a_deal_the_task_is_named_after_the_activity(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await log(user, "proposal_sent", "Offer for\n  40 seats")
    assert [task["title"] for task in await found(user)] == ["Follow up on the proposal: Offer for 40 seats"]


async def test_a_long_name_is_cut(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await log(user, "proposal_sent", "🎉 مرحبا " * 1000)
    (task,) = await found(user)
    assert len(task["title"]) <= 255
    assert task["title"].endswith("…")
    assert task["description"].count("🎉") == 1000


@pytest.mark.parametrize(("days", "due"), [(0, "2026-03-03"), (4, "2026-03-09"), (5, "2026-03-09"), (6, "2026-03-09")])
async def test_a_meeting_that_was_held_makes_a_task_for_the_next_working_day(
    sixty: Organisation, days: int, due: str
) -> None:
    user = sixty.as_role("user")
    sixty.clock.advance(timedelta(days=days))
    activity = await log(user, "meeting", "Kick-off with Acme")
    (task,) = await found(user)
    assert (task["title"], task["due_date"]) == ("Send the notes: Kick-off with Acme", due)
    assert (task["automation"], task["related_activity_id"]) == ("meeting_notes", activity)


async def test_what_is_scheduled_makes_its_task_once_it_was_held(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    ids = [await log(user, kind, status="scheduled") for kind in ("meeting", "proposal_sent")]
    assert not await found(user)
    for activity in ids:
        await user.call("hold_activity", id=activity)
    assert {task["related_activity_id"] for task in await found(user)} == set(ids)


@pytest.mark.parametrize("kind", ["call", "email", "task"])
async def test_no_other_activity_makes_a_task(sixty: Organisation, kind: str) -> None:
    user = sixty.as_role("user")
    activity = await log(user, kind)
    await user.call("hold_activity", id=activity)
    assert not await found(user)


@pytest.mark.parametrize("kind", ["meeting", "proposal_sent"])
async def test_no_task_is_made_twice(sixty: Organisation, kind: str, listener: Listener) -> None:
    user = sixty.as_role("user")
    activity = await log(user, kind)
    await user.call("repeat_activity", id=activity)
    assert len(await found(user)) == 1
    assert listener.names() == ["task.created"]


async def test_a_deal_that_has_gone_is_left_out(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    deal = (await user.call("add_deal", title="License"))["id"]
    activity = await log(user, "proposal_sent", "An offer", status="scheduled", deal_id=deal)
    await admin.call("delete_record", id=deal)
    await user.call("hold_activity", id=activity)
    (task,) = await found(user)
    assert task["title"] == "Follow up on the proposal: An offer"
    assert "deal_id" not in task


async def test_no_task_is_made_twice_at_the_same_time(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    activity = await log(user, "meeting", status="scheduled")
    outcomes = await asyncio.gather(*(user.outcome("repeat_activity", id=activity) for _ in range(4)))
    refused = [outcome.structured["error"]["code"] for outcome in outcomes if outcome.is_error]
    assert len(refused) < 4
    assert set(refused) <= {"conflict"}
    assert await sixty.count(tasks) == 1


async def test_the_task_belongs_to_whoever_has_the_activity_and_the_caller_is_who_acted(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    activity = await log(user, "meeting", status="scheduled")
    held = await manager.call("hold_activity", id=activity)
    (task,) = await found(user)
    assert task["owner_id"] == user.user_id
    await manager.call("undo_change", change_id=held["change_id"])
    assert not await found(user)


async def test_undoing_the_activity_takes_its_task_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_activity", type="meeting", description="Kick-off")
    await user.call("undo_change", change_id=made["change_id"])
    assert not await found(user)
    await log(user, "meeting")
    assert len(await found(user)) == 1


async def test_an_activity_whose_task_has_been_worked_on_is_not_undone_in_silence(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_activity", type="meeting", description="Kick-off")
    (task,) = await found(user)
    await user.call("complete_task", task_id=task["id"])
    with pytest.raises(Conflict, match="touched since"):
        await user.call("undo_change", change_id=made["change_id"])


async def test_what_made_a_task_is_in_its_history(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await log(user, "proposal_sent")
    (task,) = await found(user)
    (change,) = await sixty.rows(sa.select(changes).where(changes.c.record_id == task["id"]))
    assert (change["cause"], change["by"]) == ("tasks.follow_up_proposal", user.user_id)


@pytest.mark.parametrize(
    ("word", "error"), [("unwanted", Conflict), ("broken", InternalError)], ids=["refused", "failed"]
)
async def test_a_reaction_that_fails_undoes_all_of_the_call_and_leaves_an_audit_line(
    sixty: Organisation, word: str, error: type[Exception]
) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    with pytest.raises(error):
        await log(user, "meeting", f"It is {word}")
    assert not await found(admin)
    assert not (await admin.call("search_crm", query=word))["results"]
    await sixty.host.audit.flush()
    lines = await sixty.rows(sa.select(audit).where(audit.c.tool == "create_activity"))
    assert [line["outcome"] for line in lines] == ["conflict" if error is Conflict else "internal"]


async def test_in_bulk_a_reaction_that_refuses_fails_its_task_alone(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    titles = ("Call Ann", "Leave it unfinished", "Call Bob")
    ids = [(await user.call("create_task", title=title))["task_id"] for title in titles]
    listener.heard.clear()
    done = await user.call("bulk_update_tasks", task_ids=ids, updates={"status": "completed"})
    assert [result["success"] for result in done["results"]] == [True, False, True]
    assert done["results"][1]["error"]["code"] == "conflict"
    statuses = {task["title"]: task["status"] for task in await found(user)}
    assert statuses == dict(zip(titles, ("completed", "open", "completed"), strict=True))
    assert listener.names() == ["task.completed", "task.completed"]


class TestSwitchedOff:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_TASKS_FOLLOW_UP_PROPOSALS": "false", "SIXTY_TASKS_SEND_MEETING_NOTES": "false"}

    async def test_an_automation_that_is_switched_off_makes_no_task(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        for kind in ("meeting", "proposal_sent"):
            await log(user, kind)
        assert not await found(user)


class TestWithoutTasks:
    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        return (*ALL, ("tasks", granting(plugin)))

    async def test_the_task_is_made_even_where_the_caller_may_do_nothing_with_tasks(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        activity = await log(user, "meeting")
        with pytest.raises(Forbidden, match="tasks:read"):
            await user.call("search_tasks")
        (task,) = await found(sixty.as_role("admin"))
        assert (task["related_activity_id"], task["owner_id"]) == (activity, user.user_id)


class TestHidden:
    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        around = dict(ALL)
        around |= {
            "deals": granting(around["deals"]),
            "activities": granting(around["activities"], user=("activities:create", "activities:update")),
        }
        return (*around.items(), ("tasks", plugin))

    async def test_the_task_points_at_what_the_activity_does_whatever_the_caller_may_read(
        self, sixty: Organisation
    ) -> None:
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        deal = (await admin.call("add_deal", title="License"))["id"]
        around = {"deal_id": deal, "contact_id": (await admin.call("add_contact", first_name="A", last_name="B"))["id"]}
        await log(user, "meeting", "Kick-off")
        await user.call("relay_activity", type="proposal_sent", **around)
        notes, following = sorted(await found(admin), key=lambda task: str(task["automation"]))
        assert (notes["title"], notes["owner_id"]) == ("Send the notes: Kick-off", user.user_id)
        assert following["title"] == "Follow up on the proposal: Relayed"  # the deal is another's, and so is its title
        assert {name: following[name] for name in around} == around


# -- pointing at what is around


async def test_a_task_points_at_a_deal_a_contact_and_an_activity_that_one_can_see(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    around = {
        "deal_id": (await user.call("add_deal", title="License"))["id"],
        "contact_id": (await user.call("add_contact", first_name="Ann", last_name="Ash"))["id"],
        "related_activity_id": await log(user, "call"),
    }
    made = await user.call("create_task", title="Call Ann", **around)
    assert {name: made["task"][name] for name in around} == around
    for name in ("deal_id", "contact_id"):
        assert [task["id"] for task in await found(user, **{name: around[name]})] == [made["task_id"]]
    other = (await user.call("add_deal", title="Other"))["id"]
    assert not await found(user, deal_id=other)
    linked = (await user.call("get_record", id=around["deal_id"]))["links"]
    assert [link["id"] for link in linked] == [made["task_id"]]


@pytest.mark.parametrize("name", ["deal_id", "contact_id", "related_activity_id"])
async def test_a_pointer_that_leads_nowhere_or_to_something_else_is_refused(sixty: Organisation, name: str) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task = (await user.call("create_task", title="Call Ann"))["task_id"]
    with pytest.raises(Invalid, match=f"{name} must be the id of"):
        await user.call("create_task", title="Call Bob", **{name: task})
    hidden = await log(manager, "call")
    nobody = "00000000-0000-7000-8000-000000000000"
    if name == "related_activity_id":
        for missing in (hidden, nobody):
            with pytest.raises(NotFound, match=f"{name}: there is no activity {missing} that you can see"):
                await user.call("create_task", title="Call Bob", **{name: missing})
    else:
        with pytest.raises(NotFound, match=f"{name}: there is no"):
            await user.call("search_tasks", **{name: nobody})
        with pytest.raises(Invalid, match=f"{name} must be the id of"):
            await user.call("search_tasks", **{name: task})
    assert len(await found(user)) == 1


async def test_a_follow_up_points_at_what_is_still_there(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    deal = (await user.call("add_deal", title="License"))["id"]
    contact = (await user.call("add_contact", first_name="Ann", last_name="Ash"))["id"]
    around = {"deal_id": deal, "contact_id": contact}
    ids = [(await user.call("create_task", title="Call Ann", **around))["task_id"] for _ in range(2)]
    following = {"title": "Call again", "due_in_days": 1}
    first = await user.call("complete_task", task_id=ids[0], follow_up=following)
    await admin.call("delete_record", id=deal)
    second = await user.call("complete_task", task_id=ids[1], follow_up=following)
    records = [(await user.call("get_record", id=done["follow_up_task_id"]))["record"] for done in (first, second)]
    assert [{name: record.get(name) for name in around} for record in records] == [around, {**around, "deal_id": None}]
