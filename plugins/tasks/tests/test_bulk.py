"""Changing many tasks alike, as a caller sees it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_neighbours import Listener

from sixty import Forbidden, Invalid, NotFound
from sixty_tasks import plugin

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
GENTLY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def plugins(listener: Listener) -> tuple[tuple[str, object], ...]:
    listener.heard.clear()
    return (("tasks", plugin), ("listener", listener))


async def add(who: Client, title: str = "Call Ann", /, **given: Any) -> str:
    """The id of a new task."""
    return str((await who.call("create_task", title=title, **given))["task_id"])


async def shown(who: Client, task_id: str) -> dict[str, Any]:
    """The task as it is now."""
    return dict((await who.call("get_record", id=task_id))["record"])


async def test_every_task_has_what_was_given(sixty: Organisation, listener: Listener) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    ids = [await add(user, f"Call {number}") for number in range(3)]
    updates = {
        "status": "completed",
        "due_date": "+2_weeks",
        "priority": "low",
        "assignee_id": manager.user_id,
    }
    done = await manager.call("bulk_update_tasks", task_ids=ids, updates=updates)
    assert done["message"] == "3 of 3 tasks updated"
    assert (done["total"], done["successful"], done["failed"]) == (3, 3, 0)
    assert done["results"] == [{"success": True, "id": task_id} for task_id in ids]
    for task_id in ids:
        task = await shown(manager, task_id)
        assert (task["status"], task["due_date"], task["priority"]) == ("completed", "2026-03-16", "low")
        assert task["assignee_id"] == manager.user_id
        assert task["completed_at"] == "2026-03-02T09:30:00Z"
    assert listener.names() == ["task.created"] * 3 + ["task.completed"] * 3
    await manager.call("undo_change", change_id=done["change_id"])
    assert {(await shown(user, task_id))["status"] for task_id in ids} == {"open"}


async def test_each_task_stands_alone_and_results_are_in_order(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    stranger = await sixty.user("Sam Stranger", team="South")
    first, cancelled, last = await add(user, "a"), await add(user, "b"), await add(manager, "c")
    hidden = await add(stranger, "d")
    await user.call("complete_task", task_id=cancelled, status="cancelled")
    ids = [first, "nonsense", hidden, NOBODY, cancelled, first.upper(), "", last]
    done = await manager.call("bulk_update_tasks", task_ids=ids, updates={"status": "completed"})
    assert done["message"] == "2 of 8 tasks updated; 6 failed, and the results say why"
    assert (done["total"], done["successful"], done["failed"]) == (8, 2, 6)
    assert [result["id"] for result in done["results"]] == ids
    codes = [result.get("error", {}).get("code") for result in done["results"]]
    assert codes == [None, "invalid", "not_found", "not_found", "conflict", "invalid", "invalid", None]
    told = [result.get("error", {}).get("message", "") for result in done["results"]]
    assert told[1] == "'nonsense' is not an id; search_tasks finds the right one"
    assert told[2] == told[3].replace(NOBODY, hidden)
    assert "named twice" in told[5]
    assert {(await shown(manager, task_id))["status"] for task_id in (first, last)} == {"completed"}
    assert (await shown(stranger, hidden))["status"] == "open"


async def test_what_may_be_seen_but_not_changed_fails_by_itself(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    ids = [await add(user), await add(user)]
    done = await user.call("bulk_update_tasks", task_ids=ids, updates={"assignee_id": manager.user_id})
    assert done["message"] == "0 of 2 tasks updated; 2 failed, and the results say why"
    assert {result["error"]["code"] for result in done["results"]} == {Forbidden.code}
    assert "change_id" not in done


async def test_a_closed_task_is_reopened(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    ids = [await add(user), await add(user)]
    before = [await shown(user, task_id) for task_id in ids]
    for task_id, status in zip(ids, ("completed", "cancelled"), strict=True):
        await user.call("complete_task", task_id=task_id, status=status, outcome="Done")
    await user.call("bulk_update_tasks", task_ids=ids, updates={"status": "open"})
    for task in before:
        after = await shown(user, task["id"])
        assert after == {**task, "version": 3}
    listener.heard.clear()
    await user.call("bulk_update_tasks", task_ids=ids, updates={"status": "completed"})
    assert listener.names() == ["task.completed"] * 2


async def test_what_has_all_of_it_already_is_left_as_it_is(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    ids = [await add(user, priority=priority) for priority in ("high", "low")]
    done = await user.call("bulk_update_tasks", task_ids=ids, updates={"priority": "high"})
    assert done["message"] == "1 of 2 tasks updated; 1 had all of this already"
    assert [(await shown(user, task_id))["version"] for task_id in ids] == [1, 2]
    done = await user.call("bulk_update_tasks", task_ids=ids, updates={"priority": "high"})
    assert (done["successful"], done["failed"]) == (2, 0)
    assert "change_id" not in done


async def test_null_clears_the_due_date_and_nothing_else(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    task_id = await add(user)
    await user.call("bulk_update_tasks", task_ids=[task_id], updates={"due_date": None})
    assert "due_date" not in await shown(user, task_id)
    for name in ("status", "priority", "assignee_id"):
        with pytest.raises(Invalid, match=f"updates.{name} cannot be cleared"):
            await user.call("bulk_update_tasks", task_ids=[task_id], updates={name: None})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("updates", {}, Invalid),
        ("updates", {"title": "x"}, Invalid),
        ("updates", {"status": "done"}, Invalid),
        ("updates", {"due_date": "soon"}, Invalid),
        ("updates", {"assignee_id": "Uma"}, Invalid),
        ("updates", {"assignee_id": NOBODY}, NotFound),
        ("task_ids", [], Invalid),
        ("task_ids", [NOBODY] * 101, Invalid),
        ("task_ids", NOBODY, Invalid),
        ("task_ids", [5], Invalid),
    ],
)
async def test_what_is_wrong_for_all_of_them_fails_the_whole(
    sixty: Organisation, field: str, value: object, error: type[Exception]
) -> None:
    user = sixty.as_role("user")
    task_id = await add(user)
    arguments = {"task_ids": [task_id], "updates": {"priority": "low"}, field: value}
    with pytest.raises(error, match=field):
        await user.call("bulk_update_tasks", **arguments)
    assert (await shown(user, task_id))["version"] == 1


@given(st.lists(st.text(max_size=40) | st.uuids().map(str), min_size=1, max_size=8))
@GENTLY
async def test_no_bad_id_keeps_a_good_one_from_its_update(sixty: Organisation, junk: list[str]) -> None:
    user = sixty.as_role("user")
    task_id = await add(user)
    done = await user.call("bulk_update_tasks", task_ids=[*junk, task_id], updates={"priority": "urgent"})
    assert [result["success"] for result in done["results"]] == [False] * len(junk) + [True]
    assert (await shown(user, task_id))["priority"] == "urgent"


async def test_two_people_change_the_same_tasks_at_once_and_nothing_happens_twice(
    sixty: Organisation, listener: Listener
) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    ids = [await add(user, f"Call {number}") for number in range(5)]
    listener.heard.clear()
    answers = await asyncio.gather(
        *(
            who.call("bulk_update_tasks", task_ids=order, updates={"status": "completed"})
            for who, order in ((user, ids), (manager, ids[::-1]))
        )
    )
    assert [answer["failed"] for answer in answers] == [0, 0]
    assert sum("change_id" in answer for answer in answers) == 1
    assert {(await shown(user, task_id))["version"] for task_id in ids} == {2}


async def test_a_hundred_tasks_are_changed_at_once(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    ids = list(await asyncio.gather(*(add(user, f"Call {number}") for number in range(100))))
    sixty.clock.advance(timedelta(days=30))
    done = await user.call("bulk_update_tasks", task_ids=ids, updates={"status": "cancelled"})
    assert done["successful"] == 100
    assert (await user.call("get_overdue_tasks"))["total"] == 0
