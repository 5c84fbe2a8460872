"""Taking back what a call has done."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.errors import Conflict, Forbidden, NotFound, Unavailable
from sixty.kinds import SPINE
from sixty.ledger import decoded
from sixty.storage.columns import Id
from sixty.storage.statements import Write
from sixty.tables import changes

if TYPE_CHECKING:
    from sixty.context import Call
    from sixty.kinds import Detail, Kind
    from sixty.ledger import Origin
    from sixty.storage.statements import Row

__all__ = ["undo"]

_KEY = sa.bindparam("key", type_=Id)
_of_call = sa.select(changes).where(changes.c.call_id == _KEY).order_by(changes.c.position.desc())
_since = (
    sa.select(changes)
    .where(changes.c.row_id == _KEY, changes.c.seq > sa.bindparam("seq"))
    .order_by(changes.c.seq.desc())
)


async def undo(call: Call, change_id: str) -> list[dict[str, str]]:
    """Everything that one call wrote is taken back, reactions included; the records concerned, by kind and id.

    `Conflict` if anything has touched those fields since, naming what did. `Forbidden` unless the caller holds
    what the call needed.
    """
    made = await call.unit.before(_of_call, {"key": change_id})
    if not made or not await _concerns(call, made):
        msg = f"there is no change {change_id} that you can see; every write answers with its change_id"
        raise NotFound(msg, id=change_id)
    if any(change["before"] is None and change["after"] is None for change in made):
        raise Conflict("this cannot be undone: what it changed was erased for good", id=change_id)
    undone: dict[str, str] = {}
    for change in made:
        table = change["table_name"]
        if (kind := call.registry.kinds_by_table.get(table)) is not None:
            await _undo_row(call, kind, change)
            undone[change["row_id"]] = kind.name
        elif (detail := call.registry.details_by_table.get(table)) is not None:
            undone[await _undo_detail(call, detail, change)] = detail.kind.name
        elif change["op"] == "update":
            _undo_pointer(call, change)
        else:
            msg = f"the pack that owns {table} is not loaded; enable it and undo again"
            raise Unavailable(msg)
    return [{"kind": kind, "id": record_id} for record_id, kind in undone.items()]


async def _concerns(call: Call, made: list[Row]) -> bool:
    """Whether the caller may see any record that a call changed by itself."""
    for change in made:
        table = change["table_name"]
        kind = call.registry.kinds_by_table.get(table)
        if kind is None and (detail := call.registry.details_by_table.get(table)) is not None:
            kind = detail.kind
        if kind is not None and change["cause"] is None:
            owner = await _owner(call, kind, change)
            if call.reaches(call.scopes(f"{kind.resource}:read"), owner):
                return True
    return False


async def _owner(call: Call, kind: Kind, change: Row) -> str | None:
    row = await call.records.current(kind, change["record_id"]) or change["before"]
    return row["owner_id"] if row is not None and "owner_id" in row else None


async def _check_allowed(call: Call, kind: Kind, change: Row) -> None:
    if change["cause"] is not None:  # it comes along with what caused it
        return
    permission = change["permission"]
    if not call.reaches(call.scopes(permission), await _owner(call, kind, change)):
        msg = f"you may not undo this: it needs {permission} for this {kind.name}"
        raise Forbidden(msg, permission=permission)
    fields = {**(change["before"] or {}), **(change["after"] or {})}
    for name, guard in kind.guards.items():
        if fields.get(name) is not None and not any(call.scopes(guard.permission)):
            raise Forbidden(guard.message, field=name, permission=guard.permission)


def _origin(call: Call, change: Row) -> Origin:
    """Where the opposite of a change comes from: this call, under the same permission and for the same cause."""
    return replace(call.records.origin(change["permission"]), cause=change["cause"])


async def _undo_row(call: Call, kind: Kind, change: Row) -> None:
    await _check_allowed(call, kind, change)
    records, origin = call.records, _origin(call, change)
    row = await records.current(kind, change["row_id"])
    if change["op"] == "delete":
        spine = await records.spine(change["row_id"])
        if row is not None or spine is None:
            raise await _touched(call, change, kind.name, "it exists again")
        before = decoded(kind.table, change["before"])
        records.ledger.restore(kind, before, spine["version"], origin)
        return
    if row is None:
        raise await _touched(call, change, kind.name, "it is gone")
    after = decoded(kind.table, change["after"])
    differing = [name for name, value in after.items() if name not in SPINE[2:] and row[name] != value]
    if differing:
        raise await _touched(call, change, kind.name, f"{', '.join(differing)} changed again", differing)
    if change["op"] == "insert":
        records.ledger.delete(kind, row, await records.all_details(kind, row["id"]), origin)
    else:
        records.ledger.update(kind, row, decoded(kind.table, change["before"]), origin)


@lru_cache(maxsize=512)
def _detail_row(detail: Detail) -> sa.Select[Any]:
    return sa.select(detail.table).where(detail.table.c.id == _KEY)


async def _undo_detail(call: Call, detail: Detail, change: Row) -> str:
    """A detail is as it was; the id of the record that it belongs to."""
    await _check_allowed(call, detail.kind, change)
    records, origin = call.records, _origin(call, change)
    if change["op"] == "delete":
        before = decoded(detail.table, change["before"])
        records.ledger.insert_detail(detail, before, origin)
        return str(before[detail.parent])
    found = await call.unit.rows(_detail_row(detail), {"key": change["row_id"]})
    after = decoded(detail.table, change["after"])
    if not found or any(found[0][name] != value for name, value in after.items()):
        raise await _touched(call, change, detail.kind.name, f"its {detail.table.name} changed again")
    row = found[0]
    if change["op"] == "insert":
        records.ledger.delete_detail(detail, row, origin)
    else:
        records.ledger.update_detail(detail, row, decoded(detail.table, change["before"]), origin)
    return str(row[detail.parent])


def _undo_pointer(call: Call, change: Row) -> None:
    """Take back a moved pointer of a pack that is not loaded: its table is known by name alone."""
    ((name, was),) = change["before"].items()
    table = sa.table(change["table_name"], sa.column("id", Id), sa.column(name, Id))
    statement = (
        sa.update(table)
        .where(table.c.id == _KEY, table.c[name] == sa.bindparam("is_now", type_=Id))
        .values({name: sa.bindparam("was", type_=Id)})
    )
    values = {"key": change["row_id"], "was": was, "is_now": change["after"][name]}
    call.unit.write(Write(statement, values, expect=1))


async def _touched(call: Call, change: Row, kind: str, what: str, fields: list[str] | None = None) -> Conflict:
    since = await call.unit.before(_since, {"key": change["row_id"], "seq": change["seq"]})
    culprit = next(
        (later for later in since if fields is None or set(fields) & set(later["after"] or later["before"] or {})), None
    )
    msg = f"this cannot be undone: the {kind} {change['record_id']} has been touched since ({what})"
    details: dict[str, Any] = {"id": change["record_id"], "fields": fields}
    if culprit is not None:
        by = call.directory.name_of(culprit["by"])
        msg += f" by {by} at {culprit['at'].isoformat()}; undo that first: {culprit['call_id']}"
        details |= {"by": by, "at": culprit["at"].isoformat(), "change_id": culprit["call_id"]}
    return Conflict(msg, **details)
