"""Tools that do what few do: talk to the world outside, take a plain JSON Schema, break, wait, lie."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fakes.notes import NOTE, notes
from sixty import Arguments, Call, PackSettings, Permissions, Result, Text, Tool, Unavailable, hookimpl, tool
from sixty.crm import DEALS

if TYPE_CHECKING:
    from sixty.audit import Entry
    from sixty.host import Host

SCHEMA = {
    "type": "object",
    "properties": {
        "words": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "loud": {"type": "boolean"},
    },
    "required": ["words"],
    "additionalProperties": False,
}


class Settings(PackSettings):
    greeting: str = "Hello"
    times: int = 1


class State:
    """What a test watches and steers."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.seen: list[Entry] = []
        self.started = 0
        self.fail_start = False
        self.fail_observe = False


STATE = State()


@tool("echo", permission="world:use", effect="read", input_schema=SCHEMA)
async def echo(args: dict[str, Any], call: Call) -> dict[str, Any]:
    """Say the words again."""
    return {"said": [word.upper() if args.get("loud") else word for word in args["words"]]}


class Say(Arguments):
    text: Text


@tool("say_nothing", permission="world:use", effect="read", input_schema={"type": "object"})
async def say_nothing(args: dict[str, Any], call: Call) -> None:
    """Say nothing."""


@tool("ask_world", permission="world:use", effect="create", open_world=True)
async def ask_world(args: Say, call: Call) -> Result:
    """Ask somebody outside, and note the answer in two short transactions."""
    async with call.transaction() as first:
        note = await first.records.add(NOTE, {"text": args.text})
        await first.records.update(NOTE, note["id"], {"rank": 1})
    if args.text == "too late":
        raise Unavailable("the world outside is gone")
    async with call.transaction() as second:
        await second.records.update(NOTE, note["id"], {"text": f"{args.text}, answered"})
        await second.records.add(NOTE, {"text": "the answer", "about_id": note["id"]})
    return Result(message="Asked")


@tool("reach_outside", permission="world:use", effect="read", open_world=True)
async def reach_outside(args: Say, call: Call) -> Result:
    """Forget to open a transaction."""
    await call.records.get(NOTE, args.text)
    return Result(message="never")


@tool("nest", permission="world:use", effect="read")
async def nest(args: Say, call: Call) -> Result:
    """Open a transaction inside of one."""
    async with call.transaction():
        return Result(message="never")


@tool("break_down", permission="world:use", effect="update")
async def break_down(args: Say, call: Call) -> Result:
    """Write, then fail."""
    await call.records.add(NOTE, {"text": args.text})
    raise ValueError(f"a secret detail: {args.text}")


@tool("pretend_to_read", permission="world:use", effect="read")
async def pretend_to_read(args: Say, call: Call) -> Result:
    """Write, in spite of the effect."""
    await call.records.add(NOTE, {"text": args.text})
    return Result(message="It only looks like reading")


@tool("wait_for_me", permission="world:use", effect="create")
async def wait_for_me(args: Say, call: Call) -> Result:
    """Write, and wait until the test says so."""
    await call.records.add(NOTE, {"text": args.text})
    STATE.reached.set()
    await STATE.go_on.wait()
    return Result(message="Waited")


@tool("greet", permission="world:use", effect="read")
async def greet(args: Say, call: Call) -> Result:
    """Greet as the settings say."""
    return Result(message=" ".join([call.settings.greeting] * call.settings.times))


@tool("snoop", permission="world:use", effect="read")
async def snoop(args: Say, call: Call) -> Result:
    """Read another pack's table, or a view that nobody publishes."""
    core = import_module("sixty.tables")  # who snoops does not say so in an import
    if args.text == "view":
        await call.rows(sa.select(call.views[DEALS]))
    if args.text == "words":
        await call.rows(sa.select(core.search.c.title))
    tables = {"notes": notes, "users": core.users, "audit": core.audit}
    await call.rows(sa.select(sa.func.count()).select_from(tables[args.text]))
    return Result(message="seen")


@tool("hurry", permission="world:use", effect="read", rate="2/minute")
async def hurry(args: Say, call: Call) -> Result:
    """Be called twice a minute at the most."""
    return Result(message="Here I am")


@hookimpl
def sixty_tools() -> list[Tool]:
    return [
        echo,
        say_nothing,
        ask_world,
        reach_outside,
        nest,
        break_down,
        pretend_to_read,
        wait_for_me,
        greet,
        snoop,
        hurry,
    ]


@hookimpl
def sixty_permissions() -> list[Permissions]:
    return [Permissions("world", {"use": "Use everything"}, {"user": ("world:use",)})]


@hookimpl
def sixty_settings() -> type[PackSettings]:
    return Settings


@hookimpl
async def sixty_started(host: Host) -> None:
    STATE.started += 1
    if STATE.fail_start:
        raise OSError("no connection to the world")


@hookimpl
async def sixty_stopping(host: Host) -> None:
    STATE.started -= 1


@hookimpl
def sixty_observe(entry: Entry) -> None:
    STATE.seen.append(entry)
    if STATE.fail_observe:
        raise RuntimeError("cannot observe")
