"""Notes about records: a kind with a pointer, details, a guarded field, a view, an event and words to find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from pydantic import Field

from sixty import (
    Arguments,
    Call,
    Cents,
    Conflict,
    Counter,
    Cursor,
    Day,
    Detail,
    Event,
    Gauge,
    Guard,
    Histogram,
    Instant,
    Kind,
    Limit,
    LongText,
    Metric,
    Moment,
    Money,
    Order,
    Page,
    Permissions,
    Published,
    Record,
    RecordId,
    Result,
    Searchable,
    Tables,
    Text,
    Tool,
    View,
    detail_table,
    hookimpl,
    page,
    pointer,
    record_table,
    tool,
)

metadata = sa.MetaData()
notes = record_table(
    "notes",
    metadata,
    sa.Column("text", sa.String(255), nullable=False),
    sa.Column("body", sa.Text),
    sa.Column("price", Cents),
    sa.Column("rank", sa.Integer),
    sa.Column("key", sa.String(20)),  # a name that the kernel's own statements use too
    sa.Column("due", sa.Date),
    sa.Column("seen_at", Instant),
    sa.Column("mood", sa.String(20), nullable=False, default="calm"),
    sa.Column("secret", sa.String(255)),
    pointer("about_id"),
)
lines = detail_table("note_lines", metadata, "note_id", sa.Column("line", sa.Text, nullable=False))


class Note(Record):
    text: str
    body: str | None = None
    price: Money | None = None
    rank: int | None = None
    key: str | None = None
    due: date | None = None
    seen_at: Moment | None = None
    mood: str
    secret: str | None = None
    about_id: RecordId | None = None


NOTE = Kind(
    "note",
    table=notes,
    model=Note,
    resource="notes",
    title="text",
    finder="find_notes",
    guards={"secret": Guard("notes:classify", "Only an admin may keep a secret")},
)
LINE = Detail(lines, NOTE, "note_id")
NOTES = View("fake_notes", **{name: notes.c[name].type for name in ("id", "owner_id", "text", "price")})


@dataclass(frozen=True, kw_only=True)
class NoteAdded(Event):
    name: ClassVar[str] = "note.added"
    text: str


class AddNote(Arguments):
    text: Text
    body: LongText | None = None
    price: Money | None = Field(None, gt=0, le=1_000_000)
    rank: int | None = Field(None, ge=-1000, le=1000)
    key: str | None = Field(None, max_length=20, pattern="^[a-z]*$")
    due: Day | None = None
    seen_at: Moment | None = None
    secret: Text | None = None
    about_id: RecordId | None = None
    owner_id: RecordId | None = None
    lines: list[Text] = Field(default=[], max_length=5)


class NoteShown(Result):
    note: Note


@tool("add_note", permission="notes:create", effect="create")
async def add_note(args: AddNote, call: Call) -> NoteShown:
    """Add a note, about another record or about nothing."""
    values = args.model_dump(exclude={"owner_id", "lines"})
    note = await call.records.add(NOTE, values, owner_id=args.owner_id)
    for line in args.lines:
        await call.records.add_detail(LINE, note["id"], {"line": line})
    call.publish(NoteAdded(record_id=note["id"], owner_id=note["owner_id"], text=note["text"]))
    return NoteShown(message=f'Added "{note["text"]}"', note=note)


class NoteUpdates(Arguments):
    text: Text | None = None
    body: LongText | None = None
    rank: int | None = Field(None, ge=-1000, le=1000)
    key: str | None = Field(None, max_length=20, pattern="^[a-z]*$")
    secret: Text | None = None
    about_id: RecordId | None = None
    owner_id: RecordId | None = None


class EditNote(Arguments):
    note_id: RecordId
    updates: NoteUpdates
    expected_version: int | None = Field(None, ge=1)


@tool("edit_note", permission="notes:update", effect="update")
async def edit_note(args: EditNote, call: Call) -> NoteShown:
    """Edit a note: only the fields that are given change."""
    note = await call.records.update(
        NOTE, args.note_id, args.updates.model_dump(exclude_unset=True), expected_version=args.expected_version
    )
    return NoteShown(message="Edited", note=note)


class OneNote(Arguments):
    note_id: RecordId


class NoteRemoved(Result):
    note_id: RecordId


@tool("remove_note", permission="notes:delete", effect="destroy", rate="strict")
async def remove_note(args: OneNote, call: Call) -> NoteRemoved:
    """Remove a note."""
    note = await call.records.delete(NOTE, args.note_id)
    return NoteRemoved(message="Removed", note_id=note["id"])


class MergeNotes(Arguments):
    primary_id: RecordId
    duplicate_ids: list[RecordId] = Field(min_length=1, max_length=5)
    text: Text | None = None


class NotesMerged(Result):
    note: Note
    moved: dict[str, int]


@tool("merge_notes", permission="notes:merge", effect="destroy")
async def merge_notes(args: MergeNotes, call: Call) -> NotesMerged:
    """Make one note of several."""
    values = {} if args.text is None else {"text": args.text}
    note, moved = await call.records.merge(NOTE, args.primary_id, args.duplicate_ids, values)
    return NotesMerged(message="Merged", note=note, moved=moved)


class NoteWithLines(Result):
    note: Note
    lines: list[str]
    history: list[dict[str, Any]]


@tool("read_note", permission="notes:read", effect="read")
async def read_note(args: OneNote, call: Call) -> NoteWithLines:
    """Read a note with its lines and its history."""
    note = await call.records.get(NOTE, args.note_id)
    found = await call.rows(_LINES, {"of": note["id"]})
    history = await call.records.history(NOTE, note["id"])
    return NoteWithLines(message="Here it is", note=note, lines=[row["line"] for row in found], history=history)


class AddLine(Arguments):
    note_id: RecordId
    line: Text


@tool("add_line", permission="notes:update", effect="update")
async def add_line(args: AddLine, call: Call) -> Result:
    """Add a line to a note."""
    await call.records.add_detail(LINE, args.note_id, {"line": args.line})
    return Result(message="Added a line")


@tool("change_lines", permission="notes:update", effect="update")
async def change_lines(args: AddLine, call: Call) -> Result:
    """Change each line of a note."""
    for row in await call.records.details(LINE, (await call.records.get(NOTE, args.note_id))["id"]):
        await call.records.update_detail(LINE, row, {"line": args.line})
    return Result(message="Changed the lines")


class FindNotes(Arguments):
    sort: str = "newest"
    limit: Limit = 25
    cursor: Cursor | None = None


class NotesFound(Page):
    notes: list[Note]


_ALL = sa.select(notes)
_LINES = sa.select(lines).where(lines.c.note_id == sa.bindparam("of", type_=notes.c.id.type)).order_by(lines.c.id)
_BY_ID = Order(notes.c.id)
ORDERS = {
    "newest": (Order(notes.c.updated_at, descending=True), _BY_ID),
    "rank": (Order(notes.c.rank), Order(notes.c.text, descending=True), _BY_ID),
    "-rank": (Order(notes.c.rank, descending=True), _BY_ID),
    "price": (Order(notes.c.price), _BY_ID),
    "-due": (Order(notes.c.due, descending=True), Order(notes.c.seen_at), _BY_ID),
}


@tool("find_notes", permission="notes:read", effect="read")
async def find_notes(args: FindNotes, call: Call) -> NotesFound:
    """List notes."""
    order = ORDERS.get(args.sort, ORDERS["newest"])
    found = await page(call, _ALL, {}, order=order, limit=args.limit, cursor=args.cursor)
    return NotesFound(message=f"{found.total} notes", notes=found.rows, **found.fields())


class Claim(Arguments):
    text: Text


_NAMED = sa.select(notes).where(notes.c.text == sa.bindparam("wanted"))


@tool("claim_text", permission="notes:create", effect="create")
async def claim_text(args: Claim, call: Call) -> NoteShown:
    """Add a note unless there is one with that text already; it looks again after adding."""
    if await call.rows(_NAMED, {"wanted": args.text}):
        raise Conflict(f"there is a note {args.text!r} already")
    note = await call.records.add(NOTE, {"text": args.text})
    (mine,) = await call.rows(_NAMED, {"wanted": args.text})
    await call.records.update(NOTE, mine["id"], {"rank": 1})
    (mine,) = await call.rows(_NAMED, {"wanted": args.text})
    return NoteShown(message=f"rank {mine['rank']}", note=note | mine)


class RankUp(Arguments):
    note_id: RecordId


@tool("rank_up", permission="notes:update", effect="update")
async def rank_up(args: RankUp, call: Call) -> NoteShown:
    """Raise the rank of a note by one."""
    note = await call.records.get(NOTE, args.note_id)
    note = await call.records.update(NOTE, args.note_id, {"rank": (note["rank"] or 0) + 1})
    return NoteShown(message=f"rank {note['rank']}", note=note)


@hookimpl
def sixty_tools() -> list[Tool]:
    return [
        add_note,
        edit_note,
        remove_note,
        merge_notes,
        read_note,
        add_line,
        change_lines,
        find_notes,
        claim_text,
        rank_up,
    ]


@hookimpl
def sixty_tables() -> Tables:
    return Tables(metadata, kinds=(NOTE,), details=(LINE,))


@hookimpl
def sixty_permissions() -> list[Permissions]:
    actions = {
        "read": "Read notes",
        "create": "Add notes",
        "update": "Edit notes",
        "delete": "Remove notes",
        "merge": "Make one note of several",
        "classify": "Keep secrets in notes",
    }
    user = ("notes:read:own", "notes:create", "notes:update:own")
    manager = ("notes:read:team", "notes:update:team", "notes:delete:team", "notes:merge:team")
    return [Permissions("notes", actions, {"user": user, "manager": manager})]


@hookimpl
def sixty_events() -> list[type[Event]]:
    return [NoteAdded]


@hookimpl
def sixty_views() -> list[Published]:
    return [Published(NOTES, sa.select(notes.c.id, notes.c.owner_id, notes.c.text, notes.c.price))]


@hookimpl
def sixty_metrics() -> list[Metric]:
    by_mood = sa.select(notes.c.mood, sa.func.count().label("value")).group_by(notes.c.mood)
    return [
        Counter(name="notes_added_total", description="Notes that were added.", event=NoteAdded),
        Histogram(
            name="notes_length_characters",
            description="How long they are.",
            event=NoteAdded,
            value=lambda event: None if event.text == "nothing" else len(event.text),
            buckets=(2, 4, 8),
        ),
        Gauge(name="notes_kept", description="Notes that are kept, by mood.", select=by_mood),
    ]


@hookimpl
def sixty_search() -> list[Searchable]:
    return [Searchable(NOTE, title="text", body=("body",))]
