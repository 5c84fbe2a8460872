"""The tool and the resource that tell what has happened around a contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from sixty import Arguments, Call, Cursor, Limit, Moment, Page, RecordId, counted, resource, tool
from sixty_contacts.models import Contact
from sixty_contacts.tables import CONTACT
from sixty_contacts.timeline import KINDS, EntryKind, TimelineEntry, missing_kinds, timeline_of

if TYPE_CHECKING:
    from sixty_contacts.timeline import TimelinePart

__all__ = ["TIMELINE_ADDRESS", "contact_timeline", "get_contact_timeline"]

TIMELINE_ADDRESS = "crm://contacts/{id}/timeline"
_NEWEST = 50
"""How many entries the resource shows."""


class GetContactTimeline(Arguments):
    """The arguments of `get_contact_timeline`."""

    contact_id: RecordId
    since: Moment | None = None
    kinds: list[EntryKind] | None = Field(None, min_length=1, max_length=len(KINDS))
    limit: Limit = 25
    cursor: Cursor | None = None


class ContactTimeline(Page):
    """What `get_contact_timeline` answers, the newest first."""

    entries: list[TimelineEntry]


@tool("get_contact_timeline", permission="contacts:read", effect="read")
async def get_contact_timeline(args: GetContactTimeline, call: Call) -> ContactTimeline:
    """List activities, tasks, deals and changes of a contact, newest first.

    The id of a change is what undo_change takes. since leaves out what was before it.
    """
    contact = await call.records.get(CONTACT, args.contact_id)
    kinds = args.kinds or KINDS
    part = await timeline_of(call, contact["id"], kinds=kinds, since=args.since, limit=args.limit, cursor=args.cursor)
    missing = missing_kinds(call, kinds) if args.kinds else []
    return ContactTimeline(
        message=_told(contact["full_name"], part, missing, narrowed=bool(args.kinds or args.since)),
        entries=part.entries,
        count=len(part.entries),
        total=part.total,
        total_is_at_least=part.total_is_at_least or None,
        next_cursor=part.next_cursor,
    )


def _told(name: str, part: TimelinePart, missing: list[EntryKind], *, narrowed: bool) -> str:
    lacking = " and ".join(counted(0, kind) for kind in missing)
    ending = f"; {lacking}, because no installed pack keeps them" if missing else ""
    shown = len(part.entries)
    if shown == part.total:
        if shown:
            return f"Found {counted(shown, 'entry')} for {name}{ending}"
        return f"Nothing that you can see {'matches' if narrowed else 'has happened'} in the timeline of {name}{ending}"
    total = f"more than {part.total:,}" if part.total_is_at_least else f"{part.total:,}"
    more = "next_cursor leads on" if part.next_cursor is not None else "this is the last page"
    return f"{shown} of {total} entries for {name}; {more}{ending}"


class OneContact(Arguments):
    """The variable of the address."""

    id: RecordId


class TimelinePage(BaseModel):
    """A contact, and the newest of what has happened around it."""

    contact: Contact
    entries: list[TimelineEntry]
    total: int


@resource(TIMELINE_ADDRESS, name="Timeline of a contact", permission="contacts:read", record="id", around=True)
async def contact_timeline(args: OneContact, call: Call) -> TimelinePage:
    """The newest activities, tasks, deals and changes of a contact."""
    contact = await call.records.get(CONTACT, args.id)
    part = await timeline_of(call, contact["id"], limit=_NEWEST)
    return TimelinePage(contact=Contact.model_validate(contact), entries=part.entries, total=part.total)
