"""The prompt `follow_up`, alone and beside stand-ins for the packs around; and what completes a task's id."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference
from task_neighbours import ALL, granting

from sixty_tasks import plugin

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


async def follow_up(who: Client, **arguments: str) -> str:
    """What the prompt says."""
    async with who.connected() as client:
        (message,) = (await client.get_prompt("follow_up", arguments)).messages
        return str(message.content.text)


async def refused(who: Client, **arguments: str) -> str:
    """Why the prompt is refused."""
    async with who.connected() as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("follow_up", arguments)
        return str(caught.value)


async def add(who: Client, title: str, /, **given: Any) -> str:
    """The id of a new task."""
    return str((await who.call("create_task", title=title, **given))["task_id"])


async def test_it_lays_out_what_is_overdue_and_what_is_due_today(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    late = await add(user, "Call Ann", due_date="2026-02-27", priority="high", description="About\nthe license")
    now = await add(user, "Call Bob", due_date="today")
    then = await add(user, "Call Cyd", due_date="tomorrow")
    done = await add(user, "Call Dan", due_date="yesterday")
    await user.call("complete_task", task_id=done)
    text = await follow_up(user)
    assert text.startswith("Tasks of Uma User that are due by 2026-03-02 (UTC)\n\nOverdue:\n")
    assert f'- "Call Ann": task_id {late}; high priority; due 2026-02-27, 3 days ago\n  "About the license"' in text
    assert f'Due today:\n- "Call Bob": task_id {now}; medium priority\n' in text
    assert then not in text
    assert done not in text
    assert "complete_task" in text
    assert "create_activity" not in text  # whose pack is not there


async def test_it_says_when_nothing_is_due(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Call Ann", due_date="tomorrow")
    text = await follow_up(user)
    assert "Nothing of this is due" in text
    assert "complete_task" not in text


async def test_a_field_that_was_left_empty_counts_as_not_given(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Call Ann", due_date="today")
    assert await follow_up(user, deal_id="", contact_id="", owner="") == await follow_up(user)


class TestReadersOnly:
    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        return (("tasks", granting(plugin, user=("tasks:read",))),)

    async def test_it_names_only_tools_that_one_has(self, sixty: Organisation) -> None:
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        await add(admin, "Call Ann", due_date="today", assignee_id=user.user_id)
        readers, admins = await follow_up(user), await follow_up(admin, owner="uma.user@example.com")
        for tool, is_shown in (("get_record", True), ("complete_task", False), ("bulk_update_tasks", False)):
            assert (tool in readers) is is_shown
            assert tool in admins


async def test_it_lays_out_the_tasks_of_somebody_else_as_far_as_one_may_see_them(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    hers = await add(user, "Call Ann", due_date="yesterday")
    his = await add(manager, "Call Bob", due_date="yesterday")
    text = await follow_up(manager, owner="uma.user@example.com")
    assert hers in text
    assert "due 2026-03-01, 1 day ago; assigned to Uma User" in text
    assert his not in text
    assert "Nothing of this is due" in await follow_up(user, owner="max.manager@example.com")
    for arguments in ({"owner": "nobody@example.com"}, {"deal_id": NOBODY}, {"contact_id": "42"}):
        assert next(iter(arguments)) in await refused(user, **arguments)


async def test_it_ends_somewhere(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number in range(26):
        await add(user, f'Say "{number}" ' + "x " * 110, due_date="yesterday", description="y" * 9000)
    text = await follow_up(user)
    assert text.count("task_id") == 25
    assert "There is more than these 25" in text
    assert len(text) < 20_000
    assert "- \"Say '0' x" in text


async def test_a_task_id_is_completed_by_words_of_its_title(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    ann = await add(user, "Call Ann")
    await add(user, "Call Bob")
    for who, expected in ((user, [ann]), (manager, [ann]), (await sixty.user("Sam Stranger", team="South"), [])):
        async with who.connected() as client:
            found = await client.complete(PromptReference(name="follow_up"), {"name": "task_id", "value": "ann"})
        assert found.completion.values == expected


class TestBesideOthers:
    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        return (*ALL, ("tasks", plugin))

    async def test_it_names_deals_and_contacts_and_the_latest_activities(self, sixty: Organisation) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        deal = (await user.call("add_deal", title='The "big" license'))["id"]
        contact = (await user.call("add_contact", first_name="Ann", last_name="Ash"))["id"]
        await user.call("create_activity", type="call", description="Wants a discount", deal_id=deal)
        sixty.clock.advance(timedelta(days=1))
        await user.call("create_activity", type="email", description="Sent the terms", contact_id=contact)
        await user.call("create_activity", type="call", description="Later", contact_id=contact, status="scheduled")
        await user.call("create_activity", type="call", description="Unrelated")
        await manager.call("create_activity", type="call", description="Not for Uma", deal_id=deal)
        await add(user, "Call her", due_date="today", deal_id=deal)
        await add(user, "Write to her", due_date="yesterday", contact_id=contact)
        await add(user, "Tidy up", due_date="yesterday")
        text = await follow_up(user)
        assert f"deal_id {deal} (\"The 'big' license\")" in text
        assert f'contact_id {contact} ("Ann Ash")' in text
        assert text.index("2026-03-03, email") < text.index('2026-03-02, call: "Wants a discount"')
        for absent in ("Later", "Unrelated", "Not for Uma"):
            assert absent not in text
        assert "create_activity" in text

    async def test_it_keeps_to_a_deal_or_a_contact_whoever_has_the_task(self, sixty: Organisation) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        deal = (await user.call("add_deal", title="License"))["id"]
        contact = (await user.call("add_contact", first_name="Ann", last_name="Ash"))["id"]
        on_deal = await add(user, "On the deal", due_date="today", deal_id=deal)
        with_her = await add(manager, "With her", due_date="today", contact_id=contact)
        both = await add(manager, "Both", due_date="today", deal_id=deal, contact_id=contact)
        for arguments, expected in (
            ({"deal_id": deal}, {on_deal, both}),
            ({"contact_id": contact}, {with_her, both}),
            ({"deal_id": deal, "contact_id": contact}, {both}),
            ({"deal_id": deal, "owner": "uma.user@example.com"}, {on_deal}),
        ):
            text = await follow_up(manager, **arguments)
            assert {task for task in (on_deal, with_her, both) if task in text} == expected
        assert both not in await follow_up(user, deal_id=deal)
        assert "deal_id must be the id of a deal" in await refused(user, deal_id=contact)
