"""The tools that work on a record of any kind."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from sixty import changes
from sixty.context import Call
from sixty.errors import Forbidden, NotFound
from sixty.storage.columns import Id
from sixty.tools import tool
from sixty.values import Arguments, LongText, RecordId, Result, counted, one

if TYPE_CHECKING:
    from sixty.kinds import Kind
    from sixty.registry import Registry
    from sixty.storage.statements import Row

__all__ = ["delete_record", "get_record", "undo_change"]

LINKS = 25
"""Links from each field of another kind at the most."""

_made: WeakKeyDictionary[Registry, dict[tuple[Any, ...], sa.Select[Any]]] = WeakKeyDictionary()
"""Statements that were put together: scoped ones are gone with the registry that they were scoped in."""


class OneRecord(Arguments):
    id: RecordId


class RecordFound(Result):
    kind: str
    record: dict[str, Any]
    links: list[dict[str, str]]


class DeleteRecord(Arguments):
    id: RecordId
    reason: LongText | None = None


class RecordDeleted(Result):
    id: RecordId
    kind: str


class UndoChange(Arguments):
    change_id: RecordId


class ChangeUndone(Result):
    undone: list[dict[str, str]]


@tool("get_record", permission=None, effect="read")
async def get_record(args: OneRecord, call: Call) -> RecordFound:
    """Get a record of any kind by its id, with links to the records around it."""
    kind, row = await _located(call, args.id)
    links = [*await _outgoing(call, kind, row), *await _incoming(call, row["id"])]
    return RecordFound(
        message=f'The {kind.name} "{kind.name_of(row)}" has {counted(len(links), "link")}',
        kind=kind.name,
        record=kind.show(row),
        links=links,
    )


@tool("delete_record", permission=None, effect="destroy", rate="strict")
async def delete_record(args: DeleteRecord, call: Call) -> RecordDeleted:
    """Delete a record of any kind. undo_change brings it back."""
    kind, row = await _located(call, args.id)
    permission = f"{kind.resource}:delete"
    if not any(call.scopes(permission)):
        msg = f"you may not delete {one(kind.name)}: it needs the permission {permission}; ask an admin"
        raise Forbidden(msg, permission=permission)
    await call.records.delete(kind, row["id"])
    return RecordDeleted(message=f'Deleted the {kind.name} "{kind.name_of(row)}"', id=row["id"], kind=kind.name)


@tool("undo_change", permission=None, effect="update")
async def undo_change(args: UndoChange, call: Call) -> ChangeUndone:
    """Take back everything that one write did, reactions included. Every write answers with its change_id."""
    undone = await changes.undo(call, args.change_id)
    return ChangeUndone(message=f"Undone, for {counted(len(undone), 'record')}", undone=undone)


async def _located(call: Call, record_id: str) -> tuple[Kind, Row]:
    found = await call.records.locate(record_id)
    if found is None:
        msg = f"there is no record {record_id} that you can see; search_crm finds the right id"
        raise NotFound(msg, id=record_id)
    return found


async def _outgoing(call: Call, kind: Kind, row: Row) -> list[dict[str, str]]:
    pointed = {field: await call.records.locate(row[field]) for field in kind.pointers if row[field] is not None}
    return [_link(*found, field) for field, found in pointed.items() if found is not None]


async def _incoming(call: Call, record_id: str) -> list[dict[str, str]]:
    kinds = [kind for kind in call.registry.kinds.values() if any(call.scopes(f"{kind.resource}:read"))]
    fields = [(kind, field) for kind in kinds for field in kind.pointers]
    if not fields:
        return []
    pointing = [call.within(kind).scoped(_pointing(kind, field)) for kind, field in fields]
    rows = await call.scoped_rows(_all_of(call.registry, *pointing), {"target": record_id})
    links: list[dict[str, str]] = []
    for row in rows:
        kind, field = fields[row["place"]]
        named = {**row, kind.title: row["title"]} if _is_text(kind) else await call.records.find(kind, row["id"])
        if named is not None:
            call.seen[row["id"]] = kind.name
            links.append(_link(kind, named, field))
    return links


def _is_text(kind: Kind) -> bool:
    """Whether what names a record is text, and so the same in the database as in Python."""
    return isinstance(kind.table.c[kind.title].type, sa.String)


@lru_cache(maxsize=512)
def _pointing(kind: Kind, field: str) -> sa.Select[Any]:
    table = kind.table
    title = sa.cast(table.c[kind.title] if _is_text(kind) else sa.null(), sa.Text).label("title")
    pointing = table.c[field] == sa.bindparam("target", type_=Id)
    return (
        sa.select(table.c.id, title, table.c.updated_at)
        .where(pointing)
        .order_by(table.c.updated_at.desc())
        .limit(LINKS)
    )


def _all_of(registry: Registry, *statements: Any) -> sa.Select[Any]:
    """The rows of all statements, each with the place of its own: one question to the database instead of many."""
    made = _made.setdefault(registry, {})
    if statements not in made:
        parts = [
            sa.select(sa.literal_column(str(place), sa.Integer).label("place"), *statement.subquery().c)
            for place, statement in enumerate(statements)
        ]
        rows = sa.union_all(*parts).subquery()
        made[statements] = sa.select(rows).order_by(rows.c.place, rows.c.updated_at.desc())
    return made[statements]


def _link(kind: Kind, row: Row, field: str) -> dict[str, str]:
    return {"kind": kind.name, "id": row["id"], "title": kind.name_of(row), "field": field}
