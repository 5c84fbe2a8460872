"""Pins on notes: reacts to another pack's event, points at another pack's records, and migrates with Alembic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Conflict,
    Detail,
    Event,
    Invalid,
    Kind,
    Permissions,
    Reaction,
    Record,
    RecordId,
    Result,
    Tables,
    Text,
    Tool,
    detail_table,
    hookimpl,
    on,
    pointer,
    record_table,
    tool,
)

metadata = sa.MetaData()
_note = pointer("note_id")
_note.info["kind"] = "note"
pins = record_table("pins", metadata, sa.Column("label", sa.String(255), nullable=False), _note)
marks = detail_table("pin_marks", metadata, "pin_id", pointer("on_id"))


class Pin(Record):
    label: str
    note_id: RecordId | None = None


PIN = Kind("pin", table=pins, model=Pin, resource="pins", title="label")
MARK = Detail(marks, PIN, "pin_id")


@dataclass(frozen=True, kw_only=True)
class PinAdded(Event):
    name: ClassVar[str] = "pin.added"
    label: str


class AddPin(Arguments):
    label: Text
    note_id: RecordId | None = None
    mark_id: RecordId | None = None


class PinShown(Result):
    pin: Pin


@tool("add_pin", permission="pins:create", effect="create")
async def add_pin(args: AddPin, call: Call) -> PinShown:
    """Pin something to a note."""
    pin = await call.records.add(PIN, {"label": args.label, "note_id": args.note_id})
    if args.mark_id is not None:
        if (found := await call.records.locate(args.mark_id)) is None:
            raise Invalid("mark_id is no record that you can see", field="mark_id", given=args.mark_id)
        await call.records.add_detail(MARK, pin["id"], {"on_id": found[1]["id"]})
    return PinShown(message="Pinned", pin=pin)


class OnePin(Arguments):
    pin_id: RecordId


class PinRead(Result):
    pin: Pin
    marks: list[RecordId]


@tool("read_pin", permission="pins:read", effect="read")
async def read_pin(args: OnePin, call: Call) -> PinRead:
    """Read a pin."""
    pin = await call.records.get(PIN, args.pin_id)
    found = await call.records.details(MARK, pin["id"])
    return PinRead(message="Here it is", pin=pin, marks=[row["on_id"] for row in found])


@on("note.added", may=("pins:create",))
async def pin_important_notes(event: Any, call: Call) -> None:
    """A note that begins with an exclamation mark is pinned."""
    if event.text.startswith("!"):
        pin = await call.records.add(PIN, {"label": event.text, "note_id": event.record_id})
        call.publish(PinAdded(record_id=pin["id"], owner_id=pin["owner_id"], label=event.text))


@on("note.added")
async def refuse_forbidden_notes(event: Any, _call: Call) -> None:
    """A note about the forbidden is refused; one that explodes shows what a bug in a reaction does."""
    if event.text.startswith("forbidden"):
        raise Conflict("that is forbidden")
    if event.text.startswith("explode"):
        raise ZeroDivisionError


@on(PinAdded)
async def echo_loops(event: PinAdded, call: Call) -> None:
    """A pin on a loop is pinned again, for ever."""
    if event.label.startswith("!loop"):
        call.publish(event)


@on("note.added")
async def pin_without_automation(event: Any, call: Call) -> None:
    """A note for all is pinned as far as the caller may."""
    if event.text.startswith("?"):
        await call.records.add(PIN, {"label": event.text, "note_id": event.record_id})


@hookimpl
def sixty_tools() -> list[Tool]:
    return [add_pin, read_pin]


@hookimpl
def sixty_tables() -> Tables:
    folder = Path(__file__).parent / "pins_migrations"
    return Tables(metadata, kinds=(PIN,), details=(MARK,), migrations=folder)


@hookimpl
def sixty_permissions() -> list[Permissions]:
    actions = {"read": "Read pins", "create": "Add pins", "update": "Change pins", "delete": "Remove pins"}
    return [Permissions("pins", actions, {"user": ("pins:read:own",), "manager": ("pins:*:team",)})]


@hookimpl
def sixty_events() -> list[type[Event]]:
    return [PinAdded]


@hookimpl
def sixty_reactions() -> list[Reaction]:
    return [pin_important_notes, refuse_forbidden_notes, echo_loops, pin_without_automation]
