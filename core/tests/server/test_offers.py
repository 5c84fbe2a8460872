"""Resources, prompts and completions, as the official client of both eras sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import desk, notes
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from sixty.ids import new_id
from sixty.tables import audit

if TYPE_CHECKING:
    from sixty.testing import Organisation

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("desk", desk))


@ERAS
async def test_the_lists_show_what_the_caller_may_have(sixty: Organisation, mode: str) -> None:
    seen = {}
    for role in ("user", "admin"):
        async with sixty.as_role(role).connected(mode=mode) as client:  # type: ignore[arg-type]
            seen[role] = (
                [resource.uri for resource in (await client.list_resources()).resources],
                [template.uri_template for template in (await client.list_resource_templates()).resource_templates],
                [prompt.name for prompt in (await client.list_prompts()).prompts],
            )
    everyone = ["crm://me", "crm://team", "desk://broken", "desk://greeting", "desk://me", "desk://pixel"]
    assert seen["user"] == (
        everyone,
        ["crm://records/{id}/history", "desk://notes/{id}", "desk://notes/{id}/around"],
        ["careful", "plain", "write_note"],
    )
    assert set(seen["admin"][0]) - set(everyone) == {"desk://drawer"}
    assert set(seen["admin"][2]) - set(seen["user"][2]) == {"open_drawer"}


async def test_a_list_has_one_page(sixty: Organisation) -> None:
    async with sixty.as_role("user").connected() as client:
        with pytest.raises(MCPError, match="one page"):
            await client.list_prompts(cursor="more")


async def test_a_prompt_shows_its_arguments(sixty: Organisation) -> None:
    async with sixty.as_role("user").connected() as client:
        shown = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}["write_note"]
    assert shown.description == "Write a note in a mood."
    assert [(it.name, it.description, it.required) for it in shown.arguments or ()] == [
        ("mood", "How the note should sound", True),
        ("about", "", False),
    ]


@ERAS
async def test_texts_bytes_and_models_are_read(sixty: Organisation, mode: str) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="One"))["note"]
    async with user.connected(mode=mode) as client:
        greeting = (await client.read_resource("desk://greeting")).contents[0]
        pixel = (await client.read_resource("desk://pixel")).contents[0]
        me = (await client.read_resource("desk://me")).contents[0]
        shown = (await client.read_resource(f"desk://notes/{note['id']}")).contents[0]
    assert (greeting.mime_type, greeting.text) == ("text/plain", "Hello, Uma User")  # type: ignore[union-attr]
    assert (pixel.mime_type, pixel.blob) == ("image/png", "iVBORw0KGgo=")  # type: ignore[union-attr]
    assert me.text == '{"name":"Uma User"}'  # type: ignore[union-attr]
    assert '"text":"One"' in shown.text  # type: ignore[union-attr]
    assert shown.uri == f"desk://notes/{note['id']}"


@ERAS
async def test_what_may_not_be_read_is_not_there(sixty: Organisation, mode: str) -> None:
    theirs = (await sixty.as_role("admin").call("add_note", text="Secret"))["note"]["id"]
    hidden = ["desk://drawer", f"desk://notes/{theirs}", f"desk://notes/{new_id()}", "desk://notes/x", "no://where"]
    answers = set()
    async with sixty.as_role("user").connected(mode=mode) as client:
        for uri in hidden:
            with pytest.raises(MCPError, match="Resource not found") as raised:
                await client.read_resource(uri)
            assert raised.value.error.data == {"uri": uri}
            answers.add(raised.value.error.code)
    assert answers == {-32602 if mode == "auto" else -32002}


async def test_a_resource_that_fails_says_so_without_detail(sixty: Organisation) -> None:
    async with sixty.as_role("user").connected() as client:
        with pytest.raises(MCPError, match="went wrong on our side"):
            await client.read_resource("desk://broken")


async def test_reading_is_audited(sixty: Organisation) -> None:
    async with sixty.as_role("user").connected() as client:
        await client.read_resource("desk://greeting")
        await client.get_prompt("plain")
    await sixty.host.audit.flush()
    lines = await sixty.rows(audit.select().order_by(audit.c.seq))
    assert [(line["tool"], line["outcome"]) for line in lines] == [("desk://greeting", "ok"), ("plain", "ok")]


@ERAS
async def test_a_prompt_speaks_in_texts_and_blocks(sixty: Organisation, mode: str) -> None:
    async with sixty.as_role("user").connected(mode=mode) as client:
        got = await client.get_prompt("write_note", {"mood": "calm"})
        plain = await client.get_prompt("plain")
    assert [message.content.type for message in got.messages] == ["text", "image"]
    assert got.messages[0].content.text == "Write a calm note about anything."  # type: ignore[union-attr]
    assert plain.messages[0].content.text == "Say something."  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("write_note", {}, "the argument 'mood' is missing"),
        ("write_note", {"mood": "calm", "colour": "red"}, "unknown argument 'colour'"),
        ("open_drawer", {}, "Unknown prompt: open_drawer"),
        ("writ_note", {}, "did you mean 'write_note'"),
    ],
)
async def test_a_prompt_that_cannot_be_had_says_why(
    sixty: Organisation, name: str, arguments: dict[str, str], says: str
) -> None:
    async with sixty.as_role("user").connected() as client:
        with pytest.raises(MCPError, match=says) as raised:
            await client.get_prompt(name, arguments)
    assert raised.value.error.code == -32602


@ERAS
async def test_arguments_are_completed(sixty: Organisation, mode: str) -> None:
    prompt, template = PromptReference(name="write_note"), ResourceTemplateReference(uri="desk://notes/{id}")
    async with sixty.as_role("user").connected(mode=mode) as client:
        moods = (await client.complete(prompt, {"name": "mood", "value": "ca"})).completion
        other = (await client.complete(PromptReference(name="plain"), {"name": "mood", "value": "ca"})).completion
        about = (
            await client.complete(prompt, {"name": "about", "value": ""}, context_arguments={"mood": "calm"})
        ).completion
        ids = (await client.complete(template, {"name": "id", "value": ""})).completion
        nothing = (await client.complete(template, {"name": "colour", "value": ""})).completion
    assert (moods.values, moods.total, moods.has_more) == (["calm", "cautious"], 2, False)
    assert other.values == []
    assert (len(about.values), about.values[0], about.total, about.has_more) == (100, "calm topic 0", 150, True)
    assert ids.values == []  # which only an admin may have completed
    assert nothing.values == []
