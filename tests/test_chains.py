"""What happens by itself when packs are installed together: a proposal is logged and followed up, notes are sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty import Conflict, Forbidden, hookimpl, on
from sixty.crm import TaskCreated
from sixty.tables import audit, changes, records
from sixty_activities import plugin as activities
from sixty_deals import plugin as deals
from sixty_tasks import plugin as tasks

if TYPE_CHECKING:
    from sixty import Reaction
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

PACKS = {"activities": activities, "deals": deals, "tasks": tasks}


class Objecting:
    """A pack that will have no tasks about Acme."""

    @hookimpl
    def sixty_reactions(self) -> list[Reaction]:
        @on(TaskCreated)
        async def object_to_it(event: TaskCreated, call: Any) -> None:
            """No task is about Acme."""
            if "Acme" in event.title:
                raise Conflict("no tasks about Acme")

        return [object_to_it]


@pytest.fixture
def packs() -> tuple[str, ...]:
    return ("activities", "deals", "tasks")


@pytest.fixture
def plugins(packs: tuple[str, ...]) -> tuple[tuple[str, object], ...]:
    return tuple((name, PACKS[name]) for name in packs)


async def deal(client: Client, **given: Any) -> str:
    return (await client.call("create_deal", **{"title": "License", "company_name": "Acme", **given}))["deal_id"]  # type: ignore[no-any-return]


async def activities_of(client: Client, **given: Any) -> list[dict[str, Any]]:
    return (await client.call("search_activities", **given))["activities"]  # type: ignore[no-any-return]


async def tasks_of(client: Client, **given: Any) -> list[dict[str, Any]]:
    return (await client.call("search_tasks", **given))["tasks"]  # type: ignore[no-any-return]


# -- all of them


async def test_a_deal_that_gets_its_proposal_has_it_logged_and_followed_up(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    deal_id = await deal(user)
    moved = await manager.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    (activity,) = await activities_of(user, deal_id=deal_id)
    assert (activity["type"], activity["status"], activity["owner_id"]) == ("proposal_sent", "completed", user.user_id)
    (task,) = await tasks_of(user, deal_id=deal_id)
    assert task["title"] == "Follow up on the proposal: License"
    assert task["description"].startswith("Proposal follow-up")
    assert (task["due_date"], task["related_activity_id"]) == ("2026-03-05", activity["id"])
    assert (task["owner_id"], task["assignee_id"]) == (user.user_id, user.user_id)
    caused = await sixty.rows(sa.select(changes).where(changes.c.call_id == moved["change_id"]))
    causes = {change["table_name"]: change["cause"] for change in caused if change["op"] == "insert"}
    assert causes["activities"] == "activities.log_proposal"
    assert causes["tasks"].startswith("tasks.")
    await manager.call("undo_change", change_id=moved["change_id"])
    assert await activities_of(user) == await tasks_of(user) == []
    again = await user.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    assert len(await activities_of(user)) == len(await tasks_of(user)) == 1
    assert again["change_id"] != moved["change_id"]


async def test_a_stage_that_is_updated_is_a_move_too(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("update_deal", deal_id=await deal(user), updates={"stage": "opportunity"})
    assert len(await activities_of(user)) == len(await tasks_of(user)) == 1


async def test_other_moves_log_nothing(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("move_deal_stage", deal_id=await deal(user), stage="verbal")
    await user.call("move_deal_stage", deal_id=await deal(user, stage="verbal"), stage="opportunity")
    await deal(user, stage="opportunity")
    assert await activities_of(user) == await tasks_of(user) == []


async def test_doing_a_thing_twice_makes_nothing_twice(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    deal_id = await deal(user)
    keyed = user.keyed("k1")
    for _ in range(2):
        await keyed.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    await user.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    await user.call("move_deal_stage", deal_id=deal_id, stage="sql")
    await user.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    assert len(await activities_of(user)) == len(await tasks_of(user)) == 1


async def test_two_who_move_a_deal_at_once_make_one_proposal(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    deal_id = await deal(user)
    await asyncio.gather(
        *(client.call("move_deal_stage", deal_id=deal_id, stage="opportunity") for client in (user, manager, admin))
    )
    assert len(await activities_of(user)) == len(await tasks_of(user)) == 1


async def test_a_meeting_that_was_held_has_its_notes_sent_once(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    deal_id = await deal(user)
    meeting = await user.call(
        "create_activity", type="meeting", description="Kick-off", deal_id=deal_id, scheduled_at="+1_days"
    )
    assert await tasks_of(user) == []
    sixty.clock.advance(timedelta(days=4))  # a Friday
    held = await asyncio.gather(
        *(user.call("complete_activity", activity_id=meeting["activity_id"]) for _ in range(3)), return_exceptions=True
    )
    assert not [error for error in held if isinstance(error, BaseException)]
    (task,) = await tasks_of(user)
    assert task["title"] == "Send the notes: Kick-off"
    assert (task["due_date"], task["deal_id"]) == ("2026-03-09", deal_id)
    assert task["related_activity_id"] == meeting["activity_id"]


async def test_what_is_logged_as_done_counts_as_held(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("create_activity", type="meeting", description="At the fair")
    await user.call("create_activity", type="proposal_sent", description="By mail")
    await user.call("create_activity", type="call", description="By phone")
    assert {task["title"] for task in await tasks_of(user)} == {
        "Send the notes: At the fair",
        "Follow up on the proposal: By mail",
    }


async def test_a_meeting_that_is_cancelled_has_no_notes(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    meeting = await user.call("create_activity", type="meeting", description="Kick-off", scheduled_at="+1_days")
    await user.call("complete_activity", activity_id=meeting["activity_id"], status="cancelled")
    assert await tasks_of(user) == []


async def test_each_of_many_activities_has_its_task(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    items = [{"type": "meeting", "description": f"Meeting {number}"} for number in range(99)]
    done = await user.call("bulk_schedule_activities", activities=[*items, {"type": "meeting"}])
    assert (done["successful"], done["failed"]) == (99, 1)
    listed = await user.call("search_tasks", limit=200)
    assert listed["total"] == 99
    await user.call("undo_change", change_id=done["change_id"])
    assert await tasks_of(user) == await activities_of(user) == []


async def test_the_chain_belongs_to_the_owner_whoever_moves_the_deal(sixty: Organisation) -> None:
    other = await sixty.user("Otto Other", team="Elsewhere")
    deal_id = await deal(sixty.as_role("admin"), owner_id=other.user_id)
    await sixty.as_role("admin").call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    assert len(await activities_of(other)) == len(await tasks_of(other)) == 1
    assert await activities_of(sixty.as_role("user")) == await tasks_of(sixty.as_role("user")) == []
    with pytest.raises(Forbidden):
        await sixty.as_role("user").call("move_deal_stage", deal_id=deal_id, stage="sql")


class TestWithAPackThatObjects:
    """A reaction that fails undoes all of the call, and the trail says so."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        return (*PACKS.items(), ("objecting", Objecting()))

    async def test_nothing_remains_but_a_line_in_the_trail(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        deal_id = await deal(user, title="Acme License")
        before = await sixty.count(records), await sixty.count(changes)
        with pytest.raises(Conflict, match="no tasks about Acme"):
            await user.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
        assert (await sixty.count(records), await sixty.count(changes)) == before
        assert (await user.call("get_record", id=deal_id))["record"]["stage"] == "sql"
        await sixty.host.audit.flush()
        lines = await sixty.rows(sa.select(audit).where(audit.c.tool == "move_deal_stage"))
        assert [(line["outcome"], line["message"]) for line in lines] == [("conflict", "no tasks about Acme")]

    async def test_of_many_only_the_one_is_undone(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        items = [{"type": "meeting", "description": text} for text in ("First", "With Acme", "Last")]
        done = await user.call("bulk_schedule_activities", activities=items)
        assert [item["success"] for item in done["results"]] == [True, False, True]
        assert done["results"][1]["error"]["message"] == "no tasks about Acme"
        assert {activity["description"] for activity in await activities_of(user)} == {"First", "Last"}


# -- some of them


@pytest.mark.parametrize("packs", [("activities", "deals")])
async def test_without_tasks_the_proposal_is_logged(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("move_deal_stage", deal_id=await deal(user), stage="opportunity")
    assert len(await activities_of(user)) == 1


@pytest.mark.parametrize("packs", [("deals", "tasks"), ("deals",)])
async def test_without_activities_a_move_is_a_move(sixty: Organisation, packs: tuple[str, ...]) -> None:
    user = sixty.as_role("user")
    moved = await user.call("move_deal_stage", deal_id=await deal(user), stage="opportunity")
    assert moved["deal"]["stage"] == "opportunity"
    assert await sixty.count(records) == 1


@pytest.mark.parametrize("packs", [("activities", "tasks")])
async def test_without_deals_activities_have_their_tasks(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("create_activity", type="proposal_sent", description="By mail")
    assert [task["title"] for task in await tasks_of(user)] == ["Follow up on the proposal: By mail"]


@pytest.mark.parametrize(
    ("environ", "logged", "made"),
    [
        ({"SIXTY_ACTIVITIES_LOG_PROPOSALS": "false"}, 0, 0),
        ({"SIXTY_TASKS_FOLLOW_UP_PROPOSALS": "false"}, 1, 0),
        ({"SIXTY_TASKS_SEND_MEETING_NOTES": "false"}, 1, 1),
    ],
)
async def test_each_link_of_the_chain_is_a_setting(
    sixty: Organisation, environ: dict[str, str], logged: int, made: int
) -> None:
    user = sixty.as_role("user")
    await user.call("move_deal_stage", deal_id=await deal(user), stage="opportunity")
    assert (len(await activities_of(user)), len(await tasks_of(user))) == (logged, made)


@pytest.mark.parametrize("environ", [{"SIXTY_TASKS_SEND_MEETING_NOTES": "false"}])
async def test_the_notes_of_meetings_are_a_setting(sixty: Organisation, environ: dict[str, str]) -> None:
    user = sixty.as_role("user")
    await user.call("create_activity", type="meeting", description="Kick-off")
    assert await tasks_of(user) == []
