"""The timeline of a contact: what has happened around it, from whatever packs there are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import neighbours
import pytest
from mcp.shared.exceptions import MCPError

from sixty import Invalid, NotFound
from sixty_contacts import plugin

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("contacts", plugin), ("neighbours", neighbours))


async def jane(client: Client) -> str:
    return (await client.call("put_contact", values=JANE))["id"]  # type: ignore[no-any-return]


async def happens(client: Client, contact_id: str, what: str, title: str, **values: Any) -> str:
    put = await client.call("put_happening", contact_id=contact_id, what=what, title=title, **values)
    return put["id"]  # type: ignore[no-any-return]


async def timeline(client: Client, contact_id: str, **arguments: Any) -> list[tuple[str, str]]:
    found = await client.call("get_contact_timeline", contact_id=contact_id, **arguments)
    return [(entry["kind"], entry["title"]) for entry in found["entries"]]


async def test_the_timeline_joins_activities_tasks_deals_and_changes_newest_first(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    for what, title, type_ in (("activity", "Discussed prices", "proposal_sent"), ("task", "Call back", "open")):
        sixty.clock.advance(timedelta(hours=1))
        await happens(user, contact, what, title, type=type_)
    sixty.clock.advance(timedelta(hours=1))
    deal = await happens(user, contact, "deal", "Site license")
    sixty.clock.advance(timedelta(hours=1))
    change = (await user.call("edit", id=contact, values={"role": "CEO", "city": "Oslo"}))["change_id"]
    found = await user.call("get_contact_timeline", contact_id=contact)
    assert [(entry["kind"], entry["title"]) for entry in found["entries"]] == [
        ("change", "Changed city, role"),
        ("deal", "Site license"),
        ("task", "Call back"),
        ("activity", "Proposal sent: Discussed prices"),
        ("change", "Created"),
    ]
    assert {entry["by"] for entry in found["entries"]} == {"Uma User"}
    assert found["entries"][0]["id"] == change
    assert found["entries"][1]["id"] == deal
    assert found["entries"][1]["at"] == "2026-03-02T12:30:00Z"
    assert (found["count"], found["total"]) == (5, 5)
    assert found["message"] == "Found 5 entries for Jane Doe"


async def test_the_id_of_a_change_undoes_it(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    await user.call("edit", id=contact, values={"role": "CEO"})
    found = await user.call("get_contact_timeline", contact_id=contact, kinds=["change"])
    changed = next(entry for entry in found["entries"] if entry["title"] == "Changed role")
    await user.call("undo_change", change_id=changed["id"])
    assert len(await timeline(user, contact, kinds=["change"])) == 3


async def test_an_activity_stands_where_it_was_held_or_is_planned(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    await happens(user, contact, "activity", "Planned", scheduled_at="+2_days")
    await happens(user, contact, "activity", "Held", scheduled_at="+9_days", completed_at="2026-02-01T10:00:00Z")
    await happens(user, contact, "task", "Done", completed_at="2026-02-02T10:00:00Z")
    titles = [title for _, title in await timeline(user, contact)]
    assert titles == ["Planned", "Created", "Done", "Held"]
    assert [title for _, title in await timeline(user, contact, since="2026-02-02T10:00:00Z")] == titles[:3]
    assert [title for _, title in await timeline(user, contact, since="tomorrow")] == ["Planned"]
    nothing = await user.call("get_contact_timeline", contact_id=contact, since="+9_days")
    assert nothing["message"] == "Nothing that you can see matches in the timeline of Jane Doe"


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_follow_one_another_without_a_gap(sixty: Organisation, limit: int) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    for number in range(3):  # all at the same moment
        await happens(user, contact, "task", f"Task {number}")
        await user.call("edit", id=contact, values={"role": f"Role {number}"})
    whole = (await user.call("get_contact_timeline", contact_id=contact))["entries"]
    first = await user.call("get_contact_timeline", contact_id=contact, limit=limit)
    pages = list(first["entries"])
    assert first["total"] == 7
    await happens(user, contact, "task", "Newer than the first page", completed_at="2027-01-01T00:00:00Z")
    cursor = first.get("next_cursor")
    while cursor is not None:
        page = await user.call("get_contact_timeline", contact_id=contact, limit=limit, cursor=cursor)
        pages += page["entries"]
        cursor = page.get("next_cursor")
        where = "next_cursor leads on" if cursor else "this is the last page"
        assert page["message"] == f"{page['count']} of 8 entries for Jane Doe; {where}"
    assert pages == whole


async def test_only_the_kinds_that_are_asked_for_are_shown(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    for what in ("activity", "task", "deal"):
        await happens(user, contact, what, f"A {what}")
    assert await timeline(user, contact, kinds=["task"]) == [("task", "A task")]
    assert await timeline(user, contact, kinds=["deal", "activity"]) == [("deal", "A deal"), ("activity", "A activity")]
    assert await timeline(user, contact, kinds=["change"]) == [("change", "Created")]
    for kinds in ([], ["email"], ["task", 5], "task"):
        with pytest.raises(Invalid, match="kinds"):
            await user.call("get_contact_timeline", contact_id=contact, kinds=kinds)


async def test_what_one_may_not_read_is_no_entry(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    contact = await jane(user)
    await happens(user, contact, "task", "Mine")
    await happens(manager, contact, "task", "The manager's")
    await happens(stranger, contact, "task", "The stranger's")
    seen = {client.user_id: await timeline(client, contact, kinds=["task"]) for client in (user, manager, stranger)}
    assert seen[user.user_id] == [("task", "Mine")]
    assert seen[manager.user_id] == [("task", "The manager's"), ("task", "Mine")]
    assert seen[stranger.user_id] == [("task", "The stranger's")]
    assert (await admin.call("get_contact_timeline", contact_id=contact, kinds=["task"]))["total"] == 3


async def test_long_and_odd_titles_are_shown_in_a_line(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    for title in ("word " * 2000, "x" * 10_000, "شمس\nقمر", "🙂 smile"):
        sixty.clock.advance(timedelta(minutes=1))
        await happens(user, contact, "task", title)
    titles = [title for _, title in await timeline(user, contact, kinds=["task"])]
    assert titles[:2] == ["🙂 smile", "شمس قمر"]
    assert titles[3].startswith("word word")
    assert all(10 < len(title) <= 200 for title in titles[2:])


async def test_a_bad_contact_or_cursor_is_refused(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    for unknown in (contact[:-4] + "0000", contact[:-4] + "ffff"):
        with pytest.raises(NotFound, match="search_contacts finds the right id"):
            await user.call("get_contact_timeline", contact_id=unknown)
    for bad in ("nonsense", "", "🙂", "MjAyNiAx", contact, "x" * 2001):
        with pytest.raises(Invalid, match="cursor"):
            await user.call("get_contact_timeline", contact_id=contact, cursor=bad)
    for bad in ("2026-01-01", "soon", 5):
        with pytest.raises(Invalid, match="since"):
            await user.call("get_contact_timeline", contact_id=contact, since=bad)


async def test_the_resource_shows_the_newest(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await jane(user)
    for number in range(52):
        await happens(user, contact, "task", f"Task {number}")
    async with user.connected() as connected:
        read = await connected.read_resource(f"crm://contacts/{contact}/timeline")
        shown = json.loads(read.contents[0].text)  # type: ignore[union-attr]
        with pytest.raises(MCPError):
            await connected.read_resource(f"crm://contacts/{contact[:-4]}0000/timeline")
    assert shown["contact"]["email"] == "jane@acme.example"
    assert (len(shown["entries"]), shown["total"]) == (50, 53)
    assert shown["entries"][0]["title"] == "Task 51"


class TestAlone:
    """The pack without any other."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        only = {name: hook for name, hook in vars(neighbours).items() if name != "sixty_views"}
        quiet = type(neighbours)("quiet")
        vars(quiet).update(only)
        return (("contacts", plugin), ("quiet", quiet))

    async def test_there_are_changes_at_least_and_it_says_why_there_is_no_more(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        contact = await jane(user)
        assert await timeline(user, contact) == [("change", "Created")]
        found = await user.call("get_contact_timeline", contact_id=contact, kinds=["deal", "task"])
        assert found["entries"] == []
        assert found["message"] == (
            "Nothing that you can see matches in the timeline of Jane Doe; "
            "no deals and no tasks, because no installed pack keeps them"
        )
