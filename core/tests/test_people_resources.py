"""Who one is, who there is, how a record came to be what it is, and what completes who and which."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes import notes, pins
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from sixty import Call, Completion, Prompt, hookimpl, ids_of, prompt
from sixty.people import disable_user
from sixty.values import Arguments

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

HISTORY = "crm://records/{id}/history"


class Asked(Arguments):
    note_id: str = ""
    owner: str = ""
    owner_id: str = ""
    assignee_id: str = ""


class Asking:
    """A pack with a prompt that asks for ids, and completes those of notes."""

    @hookimpl
    def sixty_prompts(self) -> list[Prompt]:
        @prompt("ask", permission=None)
        async def ask(args: Asked, call: Call) -> str:
            """Ask."""
            return call.user_of(args.owner)

        return [ask]

    @hookimpl
    def sixty_completions(self) -> list[Completion]:
        return list(ids_of(notes.sixty_search()[0]))


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("pins", pins), ("asking", Asking()))


async def read(client: Client, uri: str) -> Any:
    async with client.connected() as connected:
        return json.loads((await connected.read_resource(uri)).contents[0].text)  # type: ignore[union-attr]


async def complete(client: Client, argument: str, value: str, of: str = "ask") -> list[str]:
    reference = ResourceTemplateReference(uri=of) if "://" in of else PromptReference(name=of)
    async with client.connected() as connected:
        return (await connected.complete(reference, {"name": argument, "value": value})).completion.values


async def test_one_is_told_who_one_is_and_what_one_may(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    me = await read(user, "crm://me")
    assert (me["id"], me["name"], me["role"]) == (user.user_id, "Uma User", "user")
    assert (me["timezone"], me["today"]) == ("UTC", "2026-03-02")
    assert me["permissions"]["notes:read"] == "own"
    assert "notes:classify" not in me["permissions"]
    assert (await read(sixty.as_role("admin"), "crm://me"))["permissions"]["notes:classify"] == "all"


async def test_one_is_told_who_there_is(sixty: Organisation) -> None:
    stranger = await sixty.user("Sten Stranger", team="Elsewhere")
    loner = await sixty.user("Lone Loner")
    gone = await sixty.user("Gone Gonzales")
    await disable_user(sixty.host.database, "gone.gonzales@example.com", now=sixty.clock())
    team = await read(sixty.as_role("user"), "crm://team")
    assert sixty.as_role("user").user_id in {person["id"] for person in team["members"]}
    others = {person["id"]: person for person in team["others"]}
    assert others[stranger.user_id]["team"] == "Elsewhere"
    assert gone.user_id not in others
    alone = await read(loner, "crm://team")
    assert "team" not in alone
    assert [person["id"] for person in alone["members"]] == [loner.user_id]


async def test_the_history_of_any_record_can_be_read_by_whoever_may_read_the_record(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    note = (await user.call("add_note", text="first"))["note"]
    await user.call("edit_note", note_id=note["id"], updates={"text": "second"})
    told = await read(user, f"crm://records/{note['id']}/history")
    assert (told["kind"], told["title"]) == ("note", "second")
    assert [(line["field"], line["to"]) for line in told["history"]] == [("record", "created"), ("text", "second")]
    hidden = (await admin.call("add_note", text="hidden"))["note"]
    async with user.connected() as client:
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource(f"crm://records/{hidden['id']}/history")


async def test_ids_are_completed_by_words_and_by_their_beginning_as_far_as_one_may_read(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    blue = (await user.call("add_note", text="A blue sky"))["note"]["id"]
    green = (await user.call("add_note", text="A green hill"))["note"]["id"]
    hidden = (await admin.call("add_note", text="A blue secret"))["note"]["id"]
    assert await complete(user, "note_id", "blu") == [blue]
    assert set(await complete(user, "note_id", "")) == {blue, green}
    assert await complete(user, "note_id", green[:30]) == [green]
    assert await complete(user, "note_id", hidden[:30]) == []
    assert await complete(user, "note_id", "no such words") == []
    assert await complete(user, "note_id", f"{green} and more") == []
    assert set(await complete(admin, "note_id", "blue")) == {blue, hidden}
    assert await complete(user, "id", "blu", HISTORY) == [blue]


async def test_people_are_completed_by_name_and_address(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    assert await complete(user, "owner", "max") == ["max.manager@example.com"]
    assert await complete(user, "owner_id", "MANA") == [manager.user_id]
    assert await complete(user, "assignee_id", manager.user_id[:30]) == [manager.user_id]
    assert set(await complete(user, "owner", "")) >= {"uma.user@example.com", "max.manager@example.com"}
    assert await complete(user, "owner", "!") == []


async def test_a_person_is_named_by_address_or_id(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    async with user.connected() as client:
        for given in ("Max.Manager@example.com", manager.user_id):
            (message,) = (await client.get_prompt("ask", {"owner": given})).messages
            assert message.content.text == manager.user_id  # type: ignore[union-attr]
        with pytest.raises(MCPError, match="there is nobody with the address or id 'max'"):
            await client.get_prompt("ask", {"owner": "max"})
