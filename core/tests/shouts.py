"""A pack whose one tool tells of a note that it has not written, as often and as long as it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fakes.notes import NOTE

from sixty import Arguments, Call, Conflict, Event, Result, Tool, hookimpl, tool

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class NoteShouted(Event):
    """Somebody has shouted a note."""

    name: ClassVar[str] = "note.shouted"
    text: str
    price: Decimal | None = None
    more: Any = None


class Shout(Arguments):
    note_id: str
    text: str
    more: Any = None
    fails: bool = False


@tool("shout", permission=None, effect="update")
async def shout(args: Shout, call: Call) -> Result:
    """Shout a note, and perhaps fail after that."""
    note = await call.records.get(NOTE, args.note_id)
    told = {"record_id": note["id"], "owner_id": note["owner_id"], "price": note["price"], "more": args.more}
    call.publish(NoteShouted(text=args.text, **told))
    if args.fails:
        await call.records.update(NOTE, note["id"], {"rank": 1})
        await call.react()
        raise Conflict("changed my mind")
    return Result(message="shouted")


@hookimpl
def sixty_tools() -> list[Tool]:
    return [shout]


@hookimpl
def sixty_events() -> list[type[Event]]:
    return [NoteShouted]
