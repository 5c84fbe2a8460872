"""Who is told that a record has changed to which they subscribed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import desk, notes
from mcp.shared.exceptions import MCPDeprecationWarning

from sixty.people import set_role
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
