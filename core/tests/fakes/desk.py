"""What is not a tool: resources, prompts and completions; and tools that talk to their client."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp_types import ImageContent, PromptMessage, TextContent
from pydantic import BaseModel, Field

from fakes.notes import NOTE, Note
from sixty import (
    Arguments,
    Call,
    Completing,
    Completion,
    Permissions,
    Prompt,
    RecordId,
    Resource,
    Result,
    Text,
    Tool,
    completion,
    hookimpl,
    prompt,
    resource,
    tool,
)

PIXEL = "iVBORw0KGgo="
WORDS = ("calm", "cautious", "cheerful")


class Nothing(Arguments):
    pass


class OneNote(Arguments):
    id: RecordId


class Mood(Arguments):
    mood: str = Field(description="How the note should sound")
    about: str | None = None


class Sure(BaseModel):
    sure: bool


class Reason(BaseModel):
    reason: str = Field(min_length=3)


class Done(Result):
    answers: list[str]


@resource("desk://greeting", name="greeting", permission="desk:sit", mime_type="text/plain")
async def greeting(args: Nothing, call: Call) -> str:
    """A friendly word."""
    return f"Hello, {call.principal.name}"


@resource("desk://pixel", name="pixel", permission="desk:sit", mime_type="image/png")
async def pixel(args: Nothing, call: Call) -> bytes:
    """A picture."""
    return b"\x89PNG\r\n\x1a\n"


@resource("desk://me", name="me", permission=None)
async def me(args: Nothing, call: Call) -> dict[str, Any]:
    """Who I am."""
    return {"name": call.principal.name}


@resource("desk://drawer", name="drawer", permission="desk:lock")
async def drawer(args: Nothing, call: Call) -> dict[str, Any]:
    """What only an admin sees."""
    return {"key": "silver"}


@resource("desk://notes/{id}", name="note", permission="notes:read", record="id")
async def one_note(args: OneNote, call: Call) -> Note:
    """One note."""
    return Note.model_validate(await call.records.get(NOTE, args.id))


@resource("desk://notes/{id}/around", name="around a note", permission="notes:read", record="id", around=True)
async def around_note(args: OneNote, call: Call) -> str:
    """What is around a note."""
    return args.id


@resource("desk://broken", name="broken", permission="desk:sit")
async def broken(args: Nothing, call: Call) -> str:
    """Nothing that works."""
    raise RuntimeError


@prompt("write_note", permission="desk:sit")
async def write_note(args: Mood, call: Call) -> list[Any]:
    """Write a note in a mood."""
    image = PromptMessage(role="user", content=ImageContent(data=PIXEL, mime_type="image/png"))
    return [f"Write a {args.mood} note about {args.about or 'anything'}.", image]


@prompt("plain", permission="desk:sit")
async def plain(args: Nothing, call: Call) -> str:
    """Say something."""
    return "Say something."


@prompt("open_drawer", permission="desk:lock")
async def open_drawer(args: Nothing, call: Call) -> str:
    """Open the drawer."""
    return "Open the drawer."


@prompt("careful", permission="desk:sit", interactive=True)
async def careful(args: Nothing, call: Call) -> str:
    """Ask before saying anything."""
    answer = await call.client.ask("Really?", Sure)
    return "Yes." if answer.content is not None and answer.content.sure else "No."


@completion("mood", permission="desk:sit", of="write_note")
async def moods(args: Completing, call: Call) -> list[str]:
    """A mood."""
    return [word for word in WORDS if word.startswith(args.value)]


@completion("about", permission="desk:sit")
async def topics(args: Completing, call: Call) -> list[str]:
    """Anything, after the mood that was chosen."""
    return [f"{args.arguments.get('mood', 'no')} topic {number}" for number in range(150)]


@completion("id", permission="desk:lock", of="desk://notes/{id}")
async def ids(args: Completing, call: Call) -> list[str]:
    """An id, for admins."""
    return ["an id"]


@tool("ask_twice", permission="desk:sit", effect="create", interactive=True)
async def ask_twice(args: Nothing, call: Call) -> Done:
    """Write a note, then ask twice; nothing is written before both are answered."""
    await call.records.add(NOTE, {"text": "asked"})
    sure = await call.client.ask("Are you sure?", Sure)
    if sure.content is None:
        return Done(message="Left alone", answers=[sure.action])
    why = await call.client.ask("Why?", Reason)
    return Done(message="Done", answers=[str(sure.content.sure), why.content.reason if why.content else why.action])


@tool("keep_in_mind", permission="desk:sit", effect="read", interactive=True)
async def keep_in_mind(args: Nothing, call: Call) -> Done:
    """Ask in a form of plain JSON Schema, and remember something meanwhile."""
    form = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    answer = await call.client.ask("Which word?", form, key="word", state="in mind")
    return Done(message="Done", answers=[answer.content["word"] if answer.content else "", call.client.state or ""])


@tool("ask_model", permission="desk:sit", effect="read", interactive=True)
async def ask_model(args: Nothing, call: Call) -> Done:
    """Ask the model and the folders."""
    reply = await call.client.sample("Say hello", max_tokens=5)
    roots = await call.client.roots()
    return Done(message="Done", answers=[reply["content"]["text"], *(root["uri"] for root in roots)])


@tool("ask_without_saying", permission="desk:sit", effect="read")
async def ask_without_saying(args: Nothing, call: Call) -> Done:
    """Ask, though it is not declared."""
    await call.client.ask("?", Sure)
    raise AssertionError


class Said(Arguments):
    level: str = "info"
    text: Text = "something"


@tool("talk", permission="desk:sit", effect="read")
async def talk(args: Said, call: Call) -> Done:
    """Report progress and log a line."""
    await call.client.progress(1, 2, "half")
    await call.client.log(args.level, {"text": args.text})  # type: ignore[arg-type]
    return Done(message="Done", answers=[str(call.client.can("elicitation"))])


@tool("draw", permission="desk:sit", effect="read")
async def draw(args: Nothing, call: Call) -> None:
    """Answer with blocks alone."""
    call.attach("a text")
    call.attach(ImageContent(data=PIXEL, mime_type="image/png"))


@tool("draw_and_say", permission="desk:sit", effect="read")
async def draw_and_say(args: Nothing, call: Call) -> Done:
    """Answer with a result and a block behind it."""
    call.attach(TextContent(text="more"))
    return Done(message="Done", answers=[])


@tool("step_and_draw", permission="desk:sit", effect="update", open_world=True)
async def step_and_draw(args: Nothing, call: Call) -> None:
    """Attach in a step of its own."""
    async with call.transaction() as step:
        step.attach("from a step")
    await asyncio.sleep(0)
    call.attach("from outside")


@hookimpl
def sixty_tools() -> list[Tool]:
    return [
        ask_twice,
        keep_in_mind,
        ask_model,
        ask_without_saying,
        talk,
        draw,
        draw_and_say,
        step_and_draw,
    ]


@hookimpl
def sixty_resources() -> list[Resource]:
    return [greeting, pixel, me, drawer, one_note, around_note, broken]


@hookimpl
def sixty_prompts() -> list[Prompt]:
    return [write_note, plain, open_drawer, careful]


@hookimpl
def sixty_completions() -> list[Completion]:
    return [moods, topics, ids]


@hookimpl
def sixty_permissions() -> list[Permissions]:
    actions = {"sit": "Use the desk", "lock": "Open the drawer"}
    return [Permissions("desk", actions, grants={"user": ("desk:sit",)})]
