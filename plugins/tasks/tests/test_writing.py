"""Creating, assigning and completing tasks, as a caller sees it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_neighbours import Listener

from sixty import Conflict, Forbidden, Invalid, NotFound
from sixty.people import add_grant
from sixty_tasks import plugin
from sixty_tasks.tables import tasks

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
GENTLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Task = dict[str, Any]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def plugins(listener: Listener) -> tuple[tuple[str, object], ...]:
    listener.heard.clear()
    return (("tasks", plugin), ("listener", listener))


async def add(who: Client, title: str = "Call Ann", /, **given: Any) -> Task:
    """A new task."""
    made = await who.call("create_task", title=title, **given)
    task: Task = made["task"]
    return task


async def shown(who: Client, task: Task) -> Task:
    """The task as it is now."""
    record: Task = (await who.call("get_record", id=task["id"]))["record"]
    return record


# -- creating


async def test_a_task_is_open_and_belongs_to_who_made_it(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_task", title="Call Ann", description="About the license")
    task = made["task"]
    assert made["message"] == 'Task "Call Ann" created for Uma User, due 2026-03-05'
    assert made["task_id"] == task["id"]
    assert (task["title"], task["description"]) == ("Call Ann", "About the license")
    assert (task["status"], task["priority"]) == ("open", "medium")
    assert task["owner_id"] == task["assignee_id"] == user.user_id
    assert not {"completed_at", "outcome", "automation", "deal_id", "contact_id"} & set(task)
    assert listener.names() == ["task.created"]


async def test_title_and_description_are_each_derived_from_the_other(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await add(user, "Call Ann"))["description"] == "Call Ann"
    long = "Call Ann and ask her about the license. " + "Then wait. " * 400
    made = await user.call("create_task", description=long)
    assert made["task"]["title"] == "Call Ann and ask her about the license."
    assert made["task"]["description"] == long


async def test_a_task_without_title_and_description_is_refused(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for given_ in ({}, {"description": ""}, {"description": " \n "}, {"priority": "high"}):
        with pytest.raises(Invalid, match="a title or a description"):
            await user.call("create_task", **given_)
    assert await sixty.count(tasks) == 0


@pytest.mark.parametrize(
    ("priority", "due", "words"),
    [
        ("urgent", "2026-03-02", "today"),
        ("high", "2026-03-03", "1 working day after today"),
        ("medium", "2026-03-05", "3 working days after today"),
        ("low", "2026-03-11", "7 working days after today"),
    ],
)
async def test_without_a_due_date_the_priority_sets_one_and_the_answer_says_so(
    sixty: Organisation, priority: str, due: str, words: str
) -> None:
    made = await sixty.as_role("user").call("create_task", title="Call Ann", priority=priority)
    assert made["task"]["due_date"] == due
    assert made["automation"] == (f"The due date {due} was set because the priority is {priority}: {words} (UTC)")


async def test_working_days_leave_out_the_weekend_but_urgent_is_today(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    sixty.clock.advance(timedelta(days=5))  # a Saturday
    due = {priority: (await add(user, priority=priority))["due_date"] for priority in ("urgent", "high", "medium")}
    assert due == {"urgent": "2026-03-07", "high": "2026-03-09", "medium": "2026-03-11"}


async def test_a_due_date_that_is_given_is_kept_and_nothing_is_automatic(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for given_, due in (("2026-01-01", "2026-01-01"), ("tomorrow", "2026-03-03"), ("+2_weeks", "2026-03-16")):
        made = await user.call("create_task", title="Call Ann", due_date=given_, priority="urgent")
        assert made["task"]["due_date"] == due
        assert "automation" not in made


class TestFarEast:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_TIMEZONE": "Asia/Tokyo"}

    async def test_today_is_that_of_the_organisation(self, sixty: Organisation) -> None:
        sixty.clock.advance(timedelta(hours=8))  # 02:30 of the next day in Tokyo
        made = await sixty.as_role("user").call("create_task", title="Call Ann", priority="urgent")
        assert made["task"]["due_date"] == "2026-03-03"
        assert "(Asia/Tokyo)" in made["automation"]
        late = await sixty.as_role("user").call("get_overdue_tasks")
        assert late["message"] == "No task that you can see is overdue as of 2026-03-03 (Asia/Tokyo)"


class TestNoDueDates:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_TASKS_SET_DUE_DATES": "false"}

    async def test_a_setting_leaves_tasks_without_a_due_date(self, sixty: Organisation) -> None:
        made = await sixty.as_role("user").call("create_task", title="Call Ann", priority="urgent")
        assert "due_date" not in made["task"]
        assert "automation" not in made
        assert made["message"].endswith("without a due date")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("title", "", "title"),
        ("title", " \t", "must not be empty"),
        ("title", "x" * 256, "title"),
        ("title", "a\x00b", "null character"),
        ("title", 5, "title"),
        ("description", "x" * 10_001, "description"),
        ("description", "a\x00b", "null character"),
        ("due_date", "2026-02-30", "must be a day"),
        ("due_date", "soon", "must be a day"),
        ("priority", "asap", "'low', 'medium', 'high' or 'urgent'"),
        ("deal_id", "42", "is not an id"),
        ("contact_id", "4" * 36, "is not an id"),
        ("related_activity_id", "", "is not an id"),
        ("assignee_id", "Uma", "is not an id"),
    ],
)
async def test_a_bad_value_is_refused_by_name_and_rule(
    sixty: Organisation, field: str, value: object, rule: str
) -> None:
    with pytest.raises(Invalid, match=rule) as caught:
        await sixty.as_role("admin").call("create_task", **{"title": "Call Ann", field: value})
    assert caught.value.details["field"] == field
    assert await sixty.count(tasks) == 0


async def test_an_unknown_argument_is_refused_naming_the_nearest(sixty: Organisation) -> None:
    with pytest.raises(Invalid, match="unknown argument 'due_dat'; did you mean 'due_date'"):
        await sixty.as_role("user").call("create_task", title="Call Ann", due_dat="today")


@pytest.mark.parametrize("field", ["deal_id", "contact_id", "related_activity_id"])
async def test_a_pointer_to_nothing_is_refused(sixty: Organisation, field: str) -> None:
    with pytest.raises(NotFound, match=f"{field}: there is no .* {NOBODY} that you can see"):
        await sixty.as_role("admin").call("create_task", title="Call Ann", **{field: NOBODY})


@given(st.text(min_size=1, max_size=255))
@GENTLY
async def test_every_title_is_kept_as_it_was_or_refused(sixty: Organisation, title: str) -> None:
    user = sixty.as_role("user")
    try:
        task = await add(user, title)
    except Invalid:
        assert not title.strip() or "\x00" in title
        return
    assert task["title"] == title.strip()
    assert await shown(user, task) == task


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("🎉👩‍👩‍👧 party", "party"),
        ("اتصل بـ Ann الآن", "اتصل"),
        ("x" * 255, "xxxx"),
        ("'); DROP TABLE tasks; --", "drop"),
    ],
)
async def test_whatever_was_written_can_be_read_and_found(sixty: Organisation, title: str, word: str) -> None:
    user = sixty.as_role("user")
    task = await add(user, title)
    assert task["title"] == title
    assert [found["id"] for found in (await user.call("search_tasks", query=word))["tasks"]] == [task["id"]]


async def test_a_task_is_made_for_somebody_in_ones_own_write_scope(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    with pytest.raises(Forbidden, match="Max Manager"):
        await add(user, assignee_id=manager.user_id)
    with pytest.raises(Forbidden, match="Sam Stranger"):
        await add(manager, assignee_id=stranger.user_id)
    for whose, who in ((user, manager), (stranger, admin)):
        assert (await add(who, assignee_id=whose.user_id))["assignee_id"] == whose.user_id
    with pytest.raises(NotFound, match=f"assignee_id: there is no user {NOBODY}"):
        await add(admin, assignee_id=NOBODY)


async def test_creating_is_undone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_task", title="Call Ann")
    await user.call("undo_change", change_id=made["change_id"])
    assert (await user.call("search_tasks"))["total"] == 0


# -- assigning


async def test_who_is_given_a_task_owns_it(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task = await add(manager)
    done = await manager.call("assign_task", task_id=task["id"], assignee_id=user.user_id)
    assert done["message"] == 'Task "Call Ann" assigned to Uma User'
    assert done["task"]["assignee_id"] == done["task"]["owner_id"] == user.user_id
    assert done["task"]["previous_assignee_id"] == manager.user_id
    assert [found["id"] for found in (await user.call("search_tasks"))["tasks"]] == [task["id"]]
    await manager.call("undo_change", change_id=done["change_id"])
    assert (await shown(manager, task))["owner_id"] == manager.user_id
    with pytest.raises(NotFound):
        await shown(user, task)


async def test_assigning_to_who_has_it_changes_nothing(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    done = await user.call("assign_task", task_id=task["id"], assignee_id=user.user_id)
    assert done["message"] == 'Task "Call Ann" is already assigned to Uma User; nothing changed'
    assert done["task"] == {**task, "previous_assignee_id": user.user_id}
    assert "change_id" not in done


async def test_one_assigns_within_ones_own_scope(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    mine, theirs = await add(user), await add(stranger)
    with pytest.raises(Forbidden, match="Max Manager"):
        await user.call("assign_task", task_id=mine["id"], assignee_id=manager.user_id)
    with pytest.raises(Forbidden, match="Sam Stranger"):
        await manager.call("assign_task", task_id=mine["id"], assignee_id=stranger.user_id)
    for task_id in (theirs["id"], NOBODY):
        with pytest.raises(NotFound, match=f"there is no task {task_id} that you can see; search_tasks finds"):
            await manager.call("assign_task", task_id=task_id, assignee_id=manager.user_id)
    with pytest.raises(NotFound, match="assignee_id"):
        await admin.call("assign_task", task_id=mine["id"], assignee_id=NOBODY)
    with pytest.raises(Invalid, match="is not an id"):
        await admin.call("assign_task", task_id="mine", assignee_id=user.user_id)
    moved = await admin.call("assign_task", task_id=theirs["id"], assignee_id=user.user_id)
    assert moved["task"]["previous_assignee_id"] == stranger.user_id


async def test_who_may_see_but_not_change_a_task_is_told_whose_it_is(sixty: Organisation) -> None:
    manager = sixty.as_role("manager")
    task = await add(manager)
    known = sixty.host.registry.permissions
    await add_grant(sixty.host.database, "uma.user@example.com", "tasks:read:team", known=known)
    user = sixty.as_role("user")
    for tool, given_ in (("complete_task", {}), ("assign_task", {"assignee_id": user.user_id})):
        with pytest.raises(Forbidden, match="you may not update this task: it belongs to Max Manager"):
            await user.call(tool, task_id=task["id"], **given_)
    assert await shown(user, task) == task


# -- completing


async def test_a_completed_task_has_an_outcome_and_a_time(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    sixty.clock.advance(timedelta(hours=1))
    done = await user.call("complete_task", task_id=task["id"], outcome="She signs on Friday")
    assert done["message"] == 'Task "Call Ann" completed'
    assert done["task"] == {
        **task,
        "status": "completed",
        "outcome": "She signs on Friday",
        "completed_at": "2026-03-02T10:30:00Z",
        "updated_at": "2026-03-02T10:30:00Z",
        "version": 2,
    }
    assert "follow_up_task_id" not in done
    assert listener.names() == ["task.created", "task.completed"]
    await user.call("undo_change", change_id=done["change_id"])
    assert {**(await shown(user, task)), "version": 1, "updated_at": task["updated_at"]} == task


async def test_a_cancelled_task_was_not_completed(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    done = await user.call("complete_task", task_id=task["id"], status="cancelled", outcome="She has left")
    assert done["message"] == 'Task "Call Ann" cancelled'
    assert (done["task"]["status"], done["task"]["outcome"]) == ("cancelled", "She has left")
    assert "completed_at" not in done["task"]
    assert listener.names() == ["task.created"]


async def test_a_follow_up_is_a_new_task_for_the_same_person(sixty: Organisation, listener: Listener) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task = await add(user, priority="urgent")
    done = await manager.call("complete_task", task_id=task["id"], follow_up={"title": "Call again", "due_in_days": 5})
    assert done["message"] == 'Task "Call Ann" completed; "Call again" follows, due 2026-03-07'
    following = (await user.call("get_record", id=done["follow_up_task_id"]))["record"]
    assert (following["title"], following["description"]) == ("Call again", "Call again")
    assert (following["due_date"], following["status"], following["priority"]) == ("2026-03-07", "open", "medium")
    assert following["assignee_id"] == user.user_id
    assert sorted(listener.names()) == ["task.completed", "task.created", "task.created"]
    await manager.call("undo_change", change_id=done["change_id"])
    assert [found["status"] for found in (await user.call("search_tasks"))["tasks"]] == ["open"]


async def test_a_cancelled_task_may_have_a_follow_up_and_that_may_be_due_today(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    done = await user.call(
        "complete_task", task_id=task["id"], status="cancelled", follow_up={"title": "Call Bob", "due_in_days": 0}
    )
    assert (await user.call("get_record", id=done["follow_up_task_id"]))["record"]["due_date"] == "2026-03-02"


@pytest.mark.parametrize("status", ["completed", "cancelled"])
async def test_completing_twice_changes_nothing_and_makes_no_second_follow_up(
    sixty: Organisation, status: str, listener: Listener
) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    ending = {"task_id": task["id"], "status": status, "follow_up": {"title": "Call again", "due_in_days": 1}}
    first = await user.call("complete_task", **ending, outcome="Done")
    listener.heard.clear()
    sixty.clock.advance(timedelta(hours=1))
    second = await user.call("complete_task", **ending, outcome="Another")
    assert second["message"] == (f'Task "Call Ann" is already {status}; nothing changed, and no follow-up was made')
    assert second["task"] == first["task"]
    assert not {"follow_up_task_id", "change_id"} & set(second)
    third = await user.call("complete_task", task_id=task["id"], status=status)
    assert third["message"] == f'Task "Call Ann" is already {status}; nothing changed'
    assert await sixty.count(tasks) == 2
    assert listener.names() == []


@pytest.mark.parametrize(("first", "second"), [("completed", "cancelled"), ("cancelled", "completed")])
async def test_completed_and_cancelled_contradict_each_other(sixty: Organisation, first: str, second: str) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    done = await user.call("complete_task", task_id=task["id"], status=first)
    with pytest.raises(Conflict, match=f"the task is {first}, so it cannot become {second}; bulk_update_tasks"):
        await user.call("complete_task", task_id=task["id"], status=second)
    assert await shown(user, task) == done["task"]


async def test_two_people_complete_a_task_at_once_and_one_of_them_does(sixty: Organisation, listener: Listener) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task = await add(user)
    listener.heard.clear()
    ending = {"task_id": task["id"], "follow_up": {"title": "Call again", "due_in_days": 1}}
    answers = await asyncio.gather(*(who.call("complete_task", **ending) for who in (user, manager, user, manager)))
    assert sum("change_id" in answer for answer in answers) == 1
    assert sum("nothing changed" in answer["message"] for answer in answers) == 3
    assert len({answer["task"]["completed_at"] for answer in answers}) == 1
    assert await sixty.count(tasks) == 2


async def test_one_completes_and_one_cancels_at_once(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task = await add(user)
    outcomes = await asyncio.gather(
        user.outcome("complete_task", task_id=task["id"]),
        manager.outcome("complete_task", task_id=task["id"], status="cancelled"),
    )
    assert sorted(outcome.is_error for outcome in outcomes) == [False, True]
    assert {outcome.structured["error"]["code"] for outcome in outcomes if outcome.is_error} == {"conflict"}


@pytest.mark.parametrize("tool", ["assign_task", "complete_task"])
async def test_a_task_that_has_changed_since_it_was_read_is_a_conflict(sixty: Organisation, tool: str) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task = await add(user)
    given_ = {"assignee_id": manager.user_id} if tool == "assign_task" else {}
    await user.call("bulk_update_tasks", task_ids=[task["id"]], updates={"priority": "high"})
    with pytest.raises(Conflict, match="the task is at version 2, you expected 1; since then priority changed"):
        await manager.call(tool, task_id=task["id"], expected_version=1, **given_)
    done = await manager.call(tool, task_id=task["id"], expected_version=2, **given_)
    assert done["task"]["version"] == 3
    with pytest.raises(Conflict):
        await manager.call(tool, task_id=task["id"], expected_version=2, **given_)


async def test_two_people_assign_a_task_that_they_have_read_and_one_is_told_of_the_other(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    task = await add(user)
    outcomes = await asyncio.gather(
        *(
            who.outcome("assign_task", task_id=task["id"], assignee_id=who.user_id, expected_version=1)
            for who in (manager, admin)
        )
    )
    assert sorted(outcome.is_error for outcome in outcomes) == [False, True]
    assert {outcome.structured["error"]["code"] for outcome in outcomes if outcome.is_error} == {"conflict"}
    (winner,) = (outcome.structured["task"] for outcome in outcomes if not outcome.is_error)
    assert await shown(admin, task) == {name: value for name, value in winner.items() if name != "previous_assignee_id"}


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("status", "open", "status"),
        ("outcome", "x" * 10_001, "outcome"),
        ("outcome", "a\x00b", "outcome"),
        ("follow_up", {}, "follow_up.title"),
        ("follow_up", {"title": "x", "due_in_days": 366}, "follow_up.due_in_days"),
        ("follow_up", {"title": "x", "due_in_days": -1}, "follow_up.due_in_days"),
        ("follow_up", {"title": "x", "due_in_days": "3"}, "follow_up.due_in_days"),
        ("follow_up", {"title": "", "due_in_days": 3}, "follow_up.title"),
        ("expected_version", 0, "expected_version"),
        ("task_id", "42", "task_id"),
    ],
)
async def test_a_bad_ending_is_refused_by_name(sixty: Organisation, field: str, value: object, named: str) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    with pytest.raises(Invalid) as caught:
        await user.call("complete_task", **{"task_id": task["id"], field: value})
    assert caught.value.details["field"] == named
    assert await shown(user, task) == task


async def test_a_deleted_task_is_not_there_until_that_is_undone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    task = await add(user)
    gone = await user.call("delete_record", id=task["id"])
    with pytest.raises(NotFound):
        await user.call("complete_task", task_id=task["id"])
    await user.call("undo_change", change_id=gone["change_id"])
    assert (await user.call("complete_task", task_id=task["id"]))["task"]["status"] == "completed"
