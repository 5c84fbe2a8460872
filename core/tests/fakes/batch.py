"""Batches of notes: each stands alone, names may be claimed, and other packs can say what they think of a text."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa

from fakes.notes import NOTE, NOTES, NoteAdded
from sixty import Arguments, Call, Conflict, Extension, Point, Result, SixtyError, Text, Tool, hookimpl, tool


@runtime_checkable
class Critic(Protocol):
    """Somebody with an opinion."""

    def opinion(self, text: str) -> str: ...


CRITICS: Point[Critic] = Point("critics", Critic)  # type: ignore[type-abstract]


class Polite:
    def opinion(self, text: str) -> str:
        return f"{text}, please"


_NAMED = sa.select(NOTES.c.id).where(NOTES.c.text == sa.bindparam("wanted"))


class AddNotes(Arguments):
    texts: list[Text]
    look: bool = False
    nested: bool = False


class NotesAdded(Result):
    results: list[dict[str, Any]]


@tool("add_notes", permission="notes:create", effect="create")
async def add_notes(args: AddNotes, call: Call) -> NotesAdded:
    """Add notes, each for itself. It looks at them on the way where told to."""
    results: list[dict[str, Any]] = []
    for text in args.texts:
        try:
            async with call.savepoint():
                call.attach(text)
                note = await call.records.add(NOTE, {"text": text})
                call.publish(NoteAdded(record_id=note["id"], owner_id=note["owner_id"], text=text))
                if args.look:
                    await call.rows(_NAMED, {"wanted": text})
                if args.nested:
                    await _add_inner(call, text)
                if text.startswith("bad"):
                    raise Conflict("that is bad")
            results.append({"id": note["id"]})
        except SixtyError as error:
            results.append({"error": error.code})
    return NotesAdded(message="Done", results=results)


async def _add_inner(call: Call, text: str) -> None:
    try:
        async with call.savepoint():
            await call.records.add(NOTE, {"text": f"inner {text}"})
            await call.rows(_NAMED, {"wanted": text})
            raise Conflict("never mind")  # noqa: TRY301 - which is what is tried
    except Conflict:
        await call.records.add(NOTE, {"text": f"instead {text}"})


class OneName(Arguments):
    text: Text


@tool("name_note", permission="notes:create", effect="create")
async def name_note(args: OneName, call: Call) -> Result:
    """Add a note unless there is one with that text that the caller can see."""
    await call.claim("notes.text", args.text)
    await call.claim("notes.text", args.text)  # twice is once
    if await call.rows(_NAMED, {"wanted": args.text}):
        raise Conflict("there is one already")
    await call.records.add(NOTE, {"text": args.text})
    return Result(message="Named")


class Opinions(Result):
    opinions: list[str]


@tool("criticize", permission=None, effect="read")
async def criticize(args: OneName, call: Call) -> Opinions:
    """Ask every critic."""
    found = call.extensions(CRITICS)
    return Opinions(message="Heard", opinions=[critic.value.opinion(args.text) for critic in found])


@hookimpl
def sixty_tools() -> list[Tool]:
    return [add_notes, name_note, criticize]


@hookimpl
def sixty_extensions() -> list[Extension]:
    return [Extension(CRITICS, Polite())]
