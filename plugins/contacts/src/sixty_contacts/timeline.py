"""What has happened around a contact: entries from the views of other packs and from its own history, newest first.

Every pack that publishes a view adds to it, and each entry is within what the caller may read. No pack is imported.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from sixty import Id, Instant, Invalid, ShownId
from sixty.crm import ACTIVITIES, DEALS, TASKS
from sixty_contacts.tables import CONTACT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sixty import Call, Row, View

__all__ = ["KINDS", "EntryKind", "TimelineEntry", "TimelinePart", "missing_kinds", "timeline_of"]

EntryKind = Literal["activity", "task", "deal", "change"]
KINDS: tuple[EntryKind, ...] = get_args(EntryKind)

_EXACT = 10_000
"""Totals are exact up to this number."""
_WIDTH = 200
"""Characters that a title has at most."""
_HIDDEN = frozenset(("full_name", "phone_e164"))
"""Fields that follow from others, which a person never sees."""

_CONTACT = sa.bindparam("contact_id", type_=Id)
_SINCE = sa.bindparam("since", type_=Instant)
_PLACE = sa.bindparam("place_at", type_=Instant), sa.bindparam("place_id", type_=Id)
_MOST = sa.bindparam("most", type_=sa.Integer)


class TimelineEntry(BaseModel):
    """Something that happened. The `id` of a change is what `undo_change` takes; other ids are those of records."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    kind: EntryKind
    id: ShownId
    title: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class TimelinePart:
    """Some entries of a timeline, and how many there are in all."""

    entries: list[TimelineEntry]
    total: int
    total_is_at_least: bool
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Source:
    """Where entries of one kind come from."""

    view: View
    select: sa.Select[Any]


def _source(kind: EntryKind, view: View, at: sa.ColumnElement[Any], title: str, type_: str | None = None) -> _Source:
    columns = (
        sa.literal(kind).label("kind"),
        view.c.id,
        at.label("at"),
        view.c.owner_id,
        view.c[title].label("title"),
        (view.c[type_] if type_ else sa.cast(sa.null(), sa.String)).label("type"),
    )
    return _Source(view, sa.select(*columns).where(view.c.contact_id == _CONTACT))


_held = sa.func.coalesce(ACTIVITIES.c.completed_at, ACTIVITIES.c.scheduled_at, ACTIVITIES.c.created_at)
_SOURCES: Mapping[EntryKind, _Source] = {
    "activity": _source("activity", ACTIVITIES, _held, "description", "type"),
    "task": _source("task", TASKS, sa.func.coalesce(TASKS.c.completed_at, TASKS.c.created_at), "title"),
    "deal": _source("deal", DEALS, DEALS.c.opened_at, "title"),
}


def missing_kinds(call: Call, kinds: Collection[EntryKind]) -> list[EntryKind]:
    """Those of `kinds` that no pack keeps here."""
    return [kind for kind in kinds if kind in _SOURCES and _SOURCES[kind].view not in call.views]


async def timeline_of(
    call: Call,
    contact_id: str,
    *,
    kinds: Collection[EntryKind] = KINDS,
    since: datetime | None = None,
    limit: int = 25,
    cursor: str | None = None,
) -> TimelinePart:
    """The entries of a contact that the caller has read, those after `cursor`. `Invalid` for a cursor that is none."""
    place = None if cursor is None else _read(cursor)
    kept = frozenset(kinds) & frozenset(_SOURCES) - frozenset(missing_kinds(call, kinds))
    values: dict[str, Any] = {"contact_id": contact_id, "since": since, "most": limit + 1}
    rows: list[Row] = []
    total = 0
    if kept:
        total = (await call.rows(_counted(kept, since=since is not None), {**values, "most": _EXACT + 1}))[0]["total"]
        if place is not None:
            values |= {"place_at": place[0], "place_id": place[1]}
        rows = await call.rows(_page(kept, since=since is not None, after=place is not None), values)
    entries = [_shown(call, row) for row in rows]
    if "change" in kinds:
        made = [entry for entry in await _changes(call, contact_id) if since is None or entry.at >= since]
        total += len(made)
        later = [entry for entry in made if place is None or _place(entry) < place]
        entries = list(islice(merge(entries, later, key=_place, reverse=True), limit + 1))
    more = len(entries) > limit
    entries = entries[:limit]
    return TimelinePart(entries, min(total, _EXACT), total > _EXACT, _write(entries[-1]) if more else None)


@lru_cache(maxsize=64)
def _entries(kinds: frozenset[EntryKind], *, since: bool) -> sa.Select[Any]:
    """The entries of these kinds that come from views."""
    entries = sa.union_all(*(_SOURCES[kind].select for kind in KINDS if kind in kinds)).subquery()
    statement = sa.select(entries)
    return statement.where(entries.c.at >= _SINCE) if since else statement


@lru_cache(maxsize=64)
def _page(kinds: frozenset[EntryKind], *, since: bool, after: bool) -> sa.Select[Any]:
    statement = _entries(kinds, since=since)
    at, id_ = statement.selected_columns["at"], statement.selected_columns["id"]
    if after:
        statement = statement.where(sa.or_(at < _PLACE[0], sa.and_(at == _PLACE[0], id_ < _PLACE[1])))
    return statement.order_by(at.desc(), id_.desc()).limit(_MOST)


@lru_cache(maxsize=64)
def _counted(kinds: frozenset[EntryKind], *, since: bool) -> sa.Select[Any]:
    return sa.select(sa.func.count().label("total")).select_from(_entries(kinds, since=since).limit(_MOST).subquery())


def _shown(call: Call, row: Row) -> TimelineEntry:
    title = " ".join(row["title"].split())
    if row["type"] is not None:
        title = f"{row['type'].replace('_', ' ').capitalize()}: {title}"
    if len(title) > _WIDTH:
        title = f"{title[: _WIDTH - 1]}…"
    by = call.directory.name_of(row["owner_id"]) if row["owner_id"] is not None else None
    return TimelineEntry(at=row["at"], kind=row["kind"], id=row["id"], title=title, by=by)


async def _changes(call: Call, contact_id: str) -> list[TimelineEntry]:
    """The history of the contact, each call once, the newest first."""
    by_call: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in await call.records.history(CONTACT, contact_id):
        by_call[change["call"]].append(change)
    made = [
        TimelineEntry(
            at=datetime.fromisoformat(changes[0]["at"]),
            kind="change",
            id=call_id,
            title=_told(changes),
            by=changes[0]["by"],
        )
        for call_id, changes in by_call.items()
    ]
    return sorted(made, key=_place, reverse=True)


def _told(changes: list[dict[str, Any]]) -> str:
    """What one call did: `Created`, or which fields it changed."""
    for change in changes:
        if change["field"] == "record":
            return str(change["to"]).capitalize()
    names = sorted({change["field"].removesuffix("_id") for change in changes} - _HIDDEN)
    return f"Changed {', '.join(names)}"


def _place(entry: TimelineEntry) -> tuple[datetime, str]:
    return entry.at, entry.id


def _write(entry: TimelineEntry) -> str:
    return urlsafe_b64encode(f"{entry.at.isoformat()} {entry.id}".encode()).rstrip(b"=").decode()


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, entry_id = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(" ")
        return datetime.fromisoformat(at).astimezone(UTC), str(UUID(entry_id))
    except (ValueError, OverflowError) as error:
        msg = "the cursor is not one of this timeline; take next_cursor from the answer before, with the same arguments"
        raise Invalid(msg, field="cursor", given=cursor[:80]) from error
