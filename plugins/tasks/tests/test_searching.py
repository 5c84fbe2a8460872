"""Finding tasks: filters, order, pages, words and scope, as a caller sees it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import Invalid, NotFound, new_id
from sixty.crm import TASKS
from sixty_tasks.tools import TOOLS

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
TODAY = date(2026, 3, 2)
GENTLY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def add(who: Client, title: str, /, **given: Any) -> str:
    """The id of a new task."""
    return str((await who.call("create_task", title=title, **given))["task_id"])


async def undated(who: Client, title: str, /) -> str:
    """The id of a new task without a due date."""
    task_id = await add(who, title)
    await who.call("bulk_update_tasks", task_ids=[task_id], updates={"due_date": None})
    return task_id


async def titles(who: Client, tool: str = "search_tasks", /, **arguments: Any) -> list[str]:
    """What a search finds, in its order."""
    return [task["title"] for task in (await who.call(tool, **arguments))["tasks"]]


# -- search_tasks


async def test_the_first_due_comes_first_and_those_without_a_day_last(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await undated(user, "whenever")
    for title, due in (("late", "2026-05-01"), ("past", "2026-01-01"), ("soon", "2026-03-03"), ("now", "today")):
        await add(user, title, due_date=due)
    await undated(user, "some day")
    everything = ["past", "now", "soon", "late", "whenever", "some day"]
    assert await titles(user) == everything
    seen, cursor = [], {}
    for _ in everything:
        one = await user.call("search_tasks", limit=1, **cursor)
        seen += [task["title"] for task in one["tasks"]]
        assert one["total"] == 6
        cursor = {"cursor": one.get("next_cursor")}
    assert seen == everything
    assert cursor == {"cursor": None}


async def test_each_filter_narrows_and_all_of_them_together(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    await add(user, "mine now", due_date="today")
    await add(user, "mine then", due_date="+1_week")
    await add(manager, "theirs", due_date="today")
    done, gone = await add(user, "done", due_date="today"), await add(manager, "gone", due_date="today")
    await user.call("complete_task", task_id=done)
    await manager.call("complete_task", task_id=gone, status="cancelled")
    for arguments, found in (
        ({}, {"mine now", "mine then", "theirs", "done", "gone"}),
        ({"status": "open"}, {"mine now", "mine then", "theirs"}),
        ({"status": "completed"}, {"done"}),
        ({"status": "cancelled"}, {"gone"}),
        ({"assignee_id": manager.user_id}, {"theirs", "gone"}),
        ({"due_before": "tomorrow"}, {"mine now", "theirs", "done", "gone"}),
        ({"due_before": "today"}, set()),
        ({"query": "mine"}, {"mine now", "mine then"}),
        ({"query": "mi no", "status": "open", "due_before": "+2_days", "assignee_id": user.user_id}, {"mine now"}),
    ):
        result = await manager.call("search_tasks", **arguments)
        assert {task["title"] for task in result["tasks"]} == found
        assert result["count"] == result["total"] == len(found)


async def test_the_message_says_how_many_there_are_or_why_there_is_none(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.call("search_tasks"))["message"] == "There are no tasks that you can see"
    await add(user, "one")
    assert (await user.call("search_tasks"))["message"] == "Found 1 task"
    none = await user.call("search_tasks", status="cancelled")
    assert none["message"].startswith("No task matches; there are others that you can see")
    await add(user, "two")
    assert (await user.call("search_tasks", limit=1))["message"] == "1 of 2 tasks; next_cursor leads on"


async def test_words_are_found_in_title_and_description_by_their_beginnings(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    task_id = await add(user, "Ångström renewal", description="Ask Zoë about the Café")
    await add(user, "Something else")
    for query in ("angstrom", "RENEW", "zoe cafe", "renewal ask"):
        assert await titles(user, query=query) == ["Ångström renewal"]
    assert await titles(user, query="renewal nothing") == []
    await user.call("delete_record", id=task_id)
    assert await titles(user, query="angstrom") == []


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("query", "!?", Invalid),
        ("query", "", Invalid),
        ("query", "x" * 256, Invalid),
        ("query", "a\x00b", Invalid),
        ("status", "done", Invalid),
        ("due_before", "soon", Invalid),
        ("assignee_id", "Uma", Invalid),
        ("assignee_id", NOBODY, NotFound),
        ("deal_id", NOBODY, NotFound),
        ("contact_id", NOBODY, NotFound),
        ("deal_id", "42", Invalid),
        ("limit", 0, Invalid),
        ("limit", 201, Invalid),
        ("cursor", "nonsense", Invalid),
    ],
)
async def test_a_bad_filter_is_refused_by_name(
    sixty: Organisation, field: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=field):
        await sixty.as_role("admin").call("search_tasks", **{field: value})


@given(st.text(max_size=60))
@GENTLY
async def test_any_query_is_answered_or_refused(sixty: Organisation, query: str) -> None:
    outcome = await sixty.as_role("user").outcome("search_tasks", query=query)
    if outcome.is_error:
        assert outcome.structured["error"]["field"] == "query"
    else:
        assert outcome.structured["total"] == 0


# -- get_overdue_tasks


async def test_the_most_overdue_comes_first_and_then_the_most_urgent(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for title, due, priority in (
        ("today", "today", "urgent"),
        ("low", "2026-02-20", "low"),
        ("urgent", "2026-02-20", "urgent"),
        ("recent", "2026-03-01", "urgent"),
        ("medium", "2026-02-20", "medium"),
        ("high", "2026-02-20", "high"),
        ("oldest", "2026-01-02", "low"),
    ):
        await add(user, title, due_date=due, priority=priority)
    await undated(user, "whenever")
    done = await add(user, "done", due_date="2026-01-01")
    await user.call("complete_task", task_id=done)
    found = await user.call("get_overdue_tasks")
    ordered = ["oldest", "urgent", "high", "medium", "low", "recent"]
    assert [task["title"] for task in found["tasks"]] == ordered
    assert [task["days_overdue"] for task in found["tasks"]] == [59, 10, 10, 10, 10, 1]
    assert found["message"] == "Found 6 tasks; overdue as of 2026-03-02 (UTC)"
    seen, cursor = [], {}
    for _ in range(3):
        part = await user.call("get_overdue_tasks", limit=2, **cursor)
        assert part["total"] == 6
        seen += [task["title"] for task in part["tasks"]]
        cursor = {"cursor": part.get("next_cursor")}
    assert seen == ordered


async def test_a_task_is_overdue_from_the_day_after_it_was_due(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "today", due_date="today")
    assert await titles(user, "get_overdue_tasks") == []
    tomorrow = await user.call("get_overdue_tasks", as_of="tomorrow")
    assert [task["days_overdue"] for task in tomorrow["tasks"]] == [1]
    sixty.clock.advance(timedelta(days=3))
    assert [task["days_overdue"] for task in (await user.call("get_overdue_tasks"))["tasks"]] == [3]
    none = await user.call("get_overdue_tasks", as_of="2026-03-02")
    assert none["message"] == "No task that you can see is overdue as of 2026-03-02 (UTC)"


@given(st.lists(st.integers(-30, 30), max_size=12), st.integers(-30, 30))
@GENTLY
async def test_overdue_is_just_what_was_due_before(sixty: Organisation, offsets: list[int], as_of: int) -> None:
    who = await sixty.user(new_id())  # somebody without tasks, each time
    for offset in offsets:
        await add(who, "x", due_date=(TODAY + timedelta(days=offset)).isoformat())
    day = TODAY + timedelta(days=as_of)
    found = (await who.call("get_overdue_tasks", as_of=day.isoformat(), limit=200))["tasks"]
    expected = sorted((as_of - offset for offset in offsets if offset < as_of), reverse=True)
    assert [task["days_overdue"] for task in found] == expected


async def test_the_overdue_tasks_of_one_person(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    await add(user, "hers", due_date="yesterday")
    await add(manager, "his", due_date="yesterday")
    assert await titles(manager, "get_overdue_tasks") == ["hers", "his"]
    assert await titles(manager, "get_overdue_tasks", assignee_id=user.user_id) == ["hers"]
    assert await titles(user, "get_overdue_tasks", assignee_id=manager.user_id) == []
    with pytest.raises(NotFound, match=f"assignee_id: there is no user {NOBODY}"):
        await manager.call("get_overdue_tasks", assignee_id=NOBODY)


# -- scope


async def test_one_sees_ones_own_tasks_a_manager_those_of_the_team_an_admin_all(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    loner = await sixty.user("Lou Loner", role="manager")
    for title, who in (("hers", user), ("his", manager), ("strange", stranger), ("lone", loner)):
        await add(who, title, due_date="yesterday", description="quarterly")
    seen = {
        user: {"hers"},
        manager: {"hers", "his"},
        stranger: {"strange"},
        admin: {"hers", "his", "strange", "lone"},
    }
    for who, expected in seen.items():
        assert set(await titles(who)) == set(await titles(who, query="quarterly")) == expected
        assert set(await titles(who, "get_overdue_tasks")) == expected
        found = (await who.call("search_crm", query="quarterly"))["results"]
        assert {hit["title"] for hit in found} == expected
    hidden = await user.call("search_tasks", assignee_id=stranger.user_id)
    assert hidden["total"] == 0


async def test_the_tools_are_shown_to_everybody_and_need_a_permission(sixty: Organisation) -> None:
    names = {tool.name for tool in TOOLS}
    for role in ("user", "manager", "admin"):
        assert names <= set(await sixty.as_role(role).tools())
    assert {tool.permission for tool in TOOLS} == {"tasks:create", "tasks:read", "tasks:update"}
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    task_id = await add(manager, "his")
    with pytest.raises(NotFound):
        await user.call("delete_record", id=task_id)


async def test_the_view_promises_what_the_crm_expects(sixty: Organisation) -> None:
    published = sixty.host.registry.views["tasks"]
    assert published.view is TASKS
    user = sixty.as_role("user")
    await add(user, "hers", priority="high")
    (row,) = await sixty.rows(published.select)
    assert (row["title"], row["owner_id"], row["status"], row["priority"]) == ("hers", user.user_id, "open", "high")
