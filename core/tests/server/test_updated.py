"""Who is told that a record has changed to which they subscribed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import desk, notes
from mcp.shared.exceptions import MCPDeprecationWarning

from sixty.people import add_grant, add_user, set_role
from sixty.testing.fixtures import database_url  # noqa: F401 - on both databases: what has changed is asked of them

if TYPE_CHECKING:
    from collections.abc import Callable

    from sixty.testing import Organisation

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("desk", desk))


async def write(sixty: Organisation, text: str, role: Any = "user") -> tuple[str, str]:
    """The id of a new note, and the address of it as a resource."""
    note = await sixty.as_role(role).call("add_note", text=text)
    return note["note"]["id"], f"desk://notes/{note['note']['id']}"


async def edit(sixty: Organisation, note_id: str) -> None:
    await sixty.as_role("admin").call("rank_up", note_id=note_id)


@both_eras
async def test_a_record_that_changes_is_told_once_to_whoever_subscribed_to_it(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, mode: str
) -> None:
    mine, my_address = await write(sixty, "mine")
    other, _ = await write(sixty, "other")
    async with listen("user", "http", mode, [my_address, "desk://elsewhere"]) as (client, told):
        await edit(sixty, other)
        await watch.records()
        await client.list_tools()
        assert told.uris == []
        await edit(sixty, mine)
        await watch.records()
        await told.until_updated(1)
        await watch.records()
        await sixty.as_role("admin").call("remove_note", note_id=mine)
        await watch.records()
        await told.until_updated(2)
    assert told.uris == [my_address, my_address]


@both_eras
async def test_of_a_record_that_one_cannot_see_nothing_is_told(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, mode: str
) -> None:
    hidden, address = await write(sixty, "of an admin", "admin")
    async with listen("user", "http", mode, [address]) as (client, told):
        await edit(sixty, hidden)
        await watch.records()
        await client.list_tools()
        assert told.uris == []
        await set_role(sixty.host.database, "uma.user@example.com", "admin")
        await watch.lists()  # it can be seen now, and a list has changed too
        assert await told.until_updated(1) == [address]


@both_eras
async def test_whoever_listens_to_what_is_around_a_record_is_told_of_what_points_at_it(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, mode: str
) -> None:
    centre, address = await write(sixty, "centre")
    around = f"{address}/around"
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    async with listen("user", "http", mode, [address, around]) as (client, told):
        near = (await user.call("add_note", text="near", about_id=centre))["note"]["id"]
        await watch.records()
        assert await told.until_updated(1) == [around]
        await admin.call("add_note", text="near, and hidden from the user", about_id=centre)
        await user.call("add_note", text="far")
        await watch.records()
        await client.list_tools()
        assert told.uris == [around]
        await edit(sixty, near)
        await watch.records()
        await told.until_updated(2)
        await user.call("edit_note", note_id=near, updates={"about_id": None})
        await watch.records()
        await told.until_updated(3)
        await edit(sixty, centre)
        await watch.records()
        await told.until_updated(5)
    assert sorted(told.uris) == sorted([around, around, around, address, around])


@both_eras
async def test_whoever_listens_to_who_they_are_is_told_when_that_changes(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, mode: str
) -> None:
    async with listen("user", "http", mode, ["crm://me", "crm://team"]) as (client, told):
        await add_user(sixty.host.database, email="new@example.com", name="Newt New", role="user", now=sixty.clock())
        await watch.lists()
        assert await told.until_updated(1) == ["crm://team"]
        await add_grant(sixty.host.database, "uma.user@example.com", "notes:merge", known=["notes:merge"])
        await watch.lists()
        await told.until_updated(3)
        await add_grant(sixty.host.database, "max.manager@example.com", "notes:classify", known=["notes:classify"])
        await watch.lists()
        await client.list_tools()
    assert sorted(told.uris[1:]) == ["crm://me", "crm://team"]


async def test_whoever_unsubscribes_is_told_no_more(
    listen: Callable[..., Any], watch: Any, sixty: Organisation
) -> None:
    (one, its_address), (two, other_address) = await write(sixty, "one"), await write(sixty, "two")
    async with listen("user", "http", "legacy", [its_address, other_address]) as (client, told):
        with pytest.warns(MCPDeprecationWarning):
            await client.unsubscribe_resource(its_address)
        await edit(sixty, one)
        await edit(sixty, two)
        await watch.records()
        await told.until_updated(1)
        await client.list_tools()
    assert told.uris == [other_address]
