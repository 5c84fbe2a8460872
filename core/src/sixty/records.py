"""What a handler does with records: read those that the caller may read, write those that the caller may write.

A record outside the read scope does not exist (`not_found`). One that is readable but not writable is `forbidden`,
naming who owns it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.errors import Conflict, Forbidden, Invalid, NotFound
from sixty.ids import new_id
from sixty.ledger import Origin, decoded
from sixty.merging import repoint
from sixty.storage.columns import Id
from sixty.storage.statements import Write
from sixty.tables import changes, records
from sixty.values import one, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sixty.context import Call
    from sixty.kinds import Detail, Kind
    from sixty.ledger import Ledger
    from sixty.storage.statements import Row

__all__ = ["Records"]

_KEY = sa.bindparam("key", type_=Id)
_spine = sa.select(
    records.c.kind, records.c.owner_id, records.c.version, records.c.deleted_at, records.c.merged_into
).where(records.c.id == _KEY)
_changed_since = (
    sa.select(changes.c.after, changes.c.by, changes.c.at)
    .where(changes.c.record_id == _KEY, changes.c.op == "update")
    .order_by(changes.c.seq.desc())
    .limit(sa.bindparam("most"))
)
_of_record = (
    sa.select(changes)
    .where(changes.c.record_id == _KEY, changes.c.table_name == sa.bindparam("of_table"))
    .order_by(changes.c.seq)
)
_hold = sa.update(records).where(records.c.id == _KEY, records.c.deleted_at.is_(None)).values(deleted_at=None)
MERGE = "core.merge"
"""What causes a pointer to move with a merge: undoing the merge moves it back, whoever may write it."""
_HOPS = 20  # merges of merges that one id may lead through


@lru_cache(maxsize=512)
def _by_id(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).where(table.c.id == _KEY)


@lru_cache(maxsize=512)
def _of_parent(detail: Detail) -> sa.Select[Any]:
    return sa.select(detail.table).where(detail.table.c[detail.parent] == _KEY)


@lru_cache(maxsize=512)
def _defaults(table: sa.Table) -> dict[str, Any]:
    return {
        str(column.name): column.default.arg if column.default is not None and column.default.is_scalar else None  # type: ignore[attr-defined]
        for column in table.columns
    }


class Records:
    """The records, as the caller of one call may read and write them."""

    def __init__(self, call: Call, ledger: Ledger) -> None:
        self._call = call
        self.ledger = ledger

    # -- reading

    async def get(self, kind: Kind, record_id: str) -> Row:
        """The record, or `NotFound`. The id of a merged record leads to the one it was merged into."""
        row = await self.find(kind, record_id)
        if row is None:
            spine = await self.spine(record_id)
            if spine is not None and spine["kind"] != kind.name and await self.locate(record_id) is not None:
                msg = f"{record_id} is {one(spine['kind'])}, not {one(kind.name)}; {kind.finder} finds the right id"
                raise NotFound(msg, id=record_id, kind=spine["kind"])
            msg = f"there is no {kind.name} {record_id} that you can see; {kind.finder} finds the right id"
            raise NotFound(msg, id=record_id)
        return row

    async def find(self, kind: Kind, record_id: str) -> Row | None:
        """The record, or None if there is none that the caller may read."""
        row = await self.current(kind, record_id)
        if row is None and (spine := await self.spine(record_id)) is not None and spine["merged_into"] is not None:
            row = await self.current(kind, await self.final_id(record_id))
        if row is None or row["id"] in self._call.told:
            return row
        if not self._call.reaches(self._call.scopes(f"{kind.resource}:read"), row["owner_id"]):
            return None
        self._call.seen[row["id"]] = kind.name
        return row

    async def locate(self, record_id: str) -> tuple[Kind, Row] | None:
        """The record of whatever kind, with its kind, or None if there is none that the caller may read."""
        final, spine = await self._final(record_id)
        name = self.ledger.touched.get(final) or (spine["kind"] if spine is not None else None)
        kind = self._call.registry.kinds.get(name) if name is not None else None
        row = await self.find(kind, final) if kind is not None else None
        return None if kind is None or row is None else (kind, row)

    async def resolve(self, field: str, record_id: str, kind: str | None = None) -> str:
        """The id itself, or where merges have led it, for the argument `field` that names a record of `kind`.

        Raises `NotFound` if there is none that the caller may read, and `Invalid` if it is of another kind.
        """
        found = await self.locate(record_id)
        if found is None:
            msg = f"{field}: there is no {kind or 'record'} {record_id} that you can see; search_crm finds the right id"
            raise NotFound(msg, field=field, id=record_id)
        if kind is not None and found[0].name != kind:
            msg = f"{field} must be the id of {one(kind)}, and {record_id} is {one(found[0].name)}"
            raise Invalid(msg, field=field, given=record_id, allowed=f"the id of {one(kind)}")
        final: str = found[1]["id"]
        return final

    async def details(self, detail: Detail, record_id: str) -> list[Row]:
        """The details of a record that the caller has read."""
        return await self._call.unit.rows(_of_parent(detail), {"key": record_id})

    async def history(self, kind: Kind, record_id: str) -> list[dict[str, Any]]:
        """Each field of a record that ever changed, oldest first: `at`, `by`, `field`, `from`, `to`, `call`.

        The caller must have read the record. Its creation and deletion have the field `record`.
        """
        entries: list[dict[str, Any]] = []
        for change in await self._call.unit.before(_of_record, {"key": record_id, "of_table": kind.table.name}):
            common = {
                "at": change["at"].isoformat(),
                "by": self._call.directory.name_of(change["by"]),
                "call": change["call_id"],
                **({"cause": change["cause"]} if change["cause"] else {}),
            }
            if change["before"] is None and change["after"] is None:
                continue  # erased
            if change["op"] != "update":
                word = "created" if change["op"] == "insert" else "deleted"
                entries.append({**common, "field": "record", "from": None, "to": word})
                continue
            before, after = decoded(kind.table, change["before"]), decoded(kind.table, change["after"])
            entries.extend(
                {**common, "field": name, "from": shown(before.get(name)), "to": shown(value)}
                for name, value in after.items()
            )
        return entries

    async def spine(self, record_id: str) -> Row | None:
        """The place of a record on the spine, deleted ones too. It shows no scope: do not pass it on."""
        return await self._call.unit.before_of(_spine, record_id)

    async def final_id(self, record_id: str) -> str:
        """The id itself, or where merges have led it."""
        final, _ = await self._final(record_id)
        return final

    async def _final(self, record_id: str) -> tuple[str, Row | None]:
        """The id itself, or where merges have led it, and what stands there on the spine."""
        spine = await self.spine(record_id)
        for _ in range(_HOPS):
            if spine is None or spine["merged_into"] is None:
                break
            record_id = spine["merged_into"]
            spine = await self.spine(record_id)
        return record_id, spine

    # -- writing

    async def add(self, kind: Kind, values: Mapping[str, Any], *, owner_id: str | None = None) -> Row:
        """A new record, owned by the caller (in a reaction: by the owner of what caused it) unless given."""
        return await self._insert(kind, values, owner_id, new_id(), self._call.now)

    async def adopt(
        self,
        kind: Kind,
        values: Mapping[str, Any],
        *,
        owner_id: str | None = None,
        id: str | None = None,  # noqa: A002 - it is what it is called everywhere
        created_at: datetime | None = None,
    ) -> Row:
        """As `add`, of something that was there before: with the id that it had, and since when it is.

        `Conflict` if a record has the id, or had it; `Invalid` if it is only to come.
        """
        if created_at is not None and created_at > self._call.now:
            msg = f"created_at must not be later than now, got {created_at.isoformat()}"
            raise Invalid(msg, field="created_at", given=created_at.isoformat())
        if id is not None and await self.spine(id) is not None:
            msg = f"there is, or was, a record with the id {id}; leave the id out to make a new one"
            raise Conflict(msg, field="id", given=id)
        return await self._insert(kind, values, owner_id, id or new_id(), created_at or self._call.now)

    async def _insert(
        self, kind: Kind, values: Mapping[str, Any], owner_id: str | None, record_id: str, created_at: datetime
    ) -> Row:
        owner = owner_id or self._call.default_owner
        self._check_fields(kind, values)
        permission = self._permission(kind, "create")
        self.check_owner(kind, permission, owner)
        self._check_guards(kind, values)
        row = {**_defaults(kind.table), **await self._pointed(kind, values)}
        row |= {"id": record_id, "owner_id": owner, "version": 1, "created_at": created_at}
        row["updated_at"] = self._call.now
        self.ledger.insert(kind, row, self.origin(permission))
        return row

    async def update(
        self, kind: Kind, record_id: str, values: Mapping[str, Any], *, expected_version: int | None = None
    ) -> Row:
        """The record with `values` put in; unchanged if they are the ones it has. `owner_id` gives it away.

        Raises `Conflict` if it is not at `expected_version`, saying what has changed since.
        """
        row = await self.get(kind, record_id)
        permission = self._permission(kind, "update")
        self.check_writable(kind, permission, row)
        if expected_version is not None and expected_version != row["version"]:
            raise await self._stale(kind, row, expected_version)
        self._check_fields(kind, {name: value for name, value in values.items() if name != "owner_id"})
        values = await self._pointed(kind, {name: value for name, value in values.items() if row[name] != value})
        if not values:
            return row
        self._check_guards(kind, values)
        if "owner_id" in values:
            self.check_owner(kind, permission, values["owner_id"])
        return self.ledger.update(kind, row, values, self.origin(permission))

    async def delete(self, kind: Kind, record_id: str) -> Row:
        """The record is gone, and `undo_change` brings it back; its last state."""
        row = await self.get(kind, record_id)
        permission = self._permission(kind, "delete")
        self.check_writable(kind, permission, row)
        self.ledger.delete(kind, row, await self.all_details(kind, row["id"]), self.origin(permission))
        return row

    async def add_detail(self, detail: Detail, parent_id: str, values: Mapping[str, Any]) -> Row:
        """A new detail of a record that the caller may write."""
        parent = await self.get(detail.kind, parent_id)
        permission = self._permission(detail.kind, "update" if parent["version"] > 1 else "create")
        self.check_writable(detail.kind, permission, parent)
        row = {**_defaults(detail.table), **values, "id": new_id(), detail.parent: parent["id"]}
        self.ledger.insert_detail(detail, row, self.origin(permission))
        return row

    async def update_detail(self, detail: Detail, row: Row, values: Mapping[str, Any]) -> Row:
        """A detail, read before, has other values."""
        parent = await self.get(detail.kind, row[detail.parent])
        permission = self._permission(detail.kind, "update")
        self.check_writable(detail.kind, permission, parent)
        return self.ledger.update_detail(detail, row, values, self.origin(permission))

    async def remove_detail(self, detail: Detail, row: Row) -> None:
        """A detail, read before, is gone."""
        parent = await self.get(detail.kind, row[detail.parent])
        permission = self._permission(detail.kind, "update")
        self.check_writable(detail.kind, permission, parent)
        self.ledger.delete_detail(detail, row, self.origin(permission))

    async def merge(
        self, kind: Kind, primary_id: str, duplicate_ids: Sequence[str], values: Mapping[str, Any]
    ) -> tuple[Row, dict[str, int]]:
        """The duplicates are one with the primary, which has `values` put in; and how many pointers moved, by kind.

        Every pointer of every pack moves, also from records that the caller may not read. The ids of the
        duplicates stay valid and lead to the primary.
        """
        call, permission = self._call, self._permission(kind, "merge")
        primary = await self.get(kind, primary_id)
        duplicates = [await self.get(kind, duplicate) for duplicate in duplicate_ids]
        ids = [row["id"] for row in (primary, *duplicates)]
        if len(set(ids)) < len(ids):
            msg = "a record cannot be merged with itself; name each one once"
            raise Invalid(msg, field="duplicate_ids", given=list(duplicate_ids))
        for row in (primary, *duplicates):
            self.check_writable(kind, permission, row)
        self._check_fields(kind, values)
        self._check_guards(kind, values)
        origin = self.origin(permission)
        moving = replace(origin, cause=origin.cause or MERGE)
        moved: dict[str, int] = {}
        for duplicate in duplicates:
            latest = self._as_left(kind, duplicate)
            details = await self.all_details(kind, duplicate["id"])
            self.ledger.delete(kind, latest, details, origin, primary["id"])
            # only now: whoever was about to point at it has done so, and whoever comes later is sent to the primary
            pointers = await repoint(self.ledger, call.registry, duplicate["id"], primary["id"], moving)
            for name, count in pointers.items():
                moved[name] = moved.get(name, 0) + count
        primary = self._as_left(kind, primary)  # not read again: what it was led to meanwhile is another one
        changed = {name: value for name, value in values.items() if primary[name] != value}
        # even where nothing changes: of two merges that meet in it, or a merge and its deletion, one must begin anew
        return self.ledger.update(kind, primary, changed, origin), moved

    def _as_left(self, kind: Kind, row: Row) -> Row:
        """A row that was read, as this call has left it."""
        return self._call.unit.known.get((kind.table.name, row["id"])) or row

    # -- rules

    def origin(self, permission: str | None) -> Origin:
        """Where this call's changes come from."""
        call = self._call
        return Origin(call.id, call.principal.user_id, call.now, permission, call.cause)

    def check_writable(self, kind: Kind, permission: str, row: Row) -> None:
        """Raise `Forbidden` unless the caller's scope for `permission` reaches the record's owner."""
        if self._call.reaches(self._call.scopes(permission), row["owner_id"]):
            return
        owner = self._call.directory.name_of(row["owner_id"]) if row["owner_id"] else None
        whose = f"it belongs to {owner}" if owner else "it belongs to nobody"
        msg = f"you may not {permission.partition(':')[2]} this {kind.name}: {whose}; ask them, or an admin"
        raise Forbidden(msg, permission=permission, owner_id=row["owner_id"], owner=owner)

    def check_owner(self, kind: Kind, permission: str, owner_id: str | None) -> None:
        """Raise unless `owner_id` is somebody that the caller may give a record to."""
        call = self._call
        if owner_id is not None and owner_id not in call.directory.users:
            msg = f"there is no user {owner_id}; explain_access and the lists of records show the ids of owners"
            raise NotFound(msg, field="owner_id", given=owner_id)
        wanted = [permission]
        if owner_id != call.default_owner:  # creating for somebody else is giving away
            wanted.append(f"{kind.resource}:update")
        for name in wanted:
            if not call.reaches(call.scopes(name), owner_id):
                whose = call.directory.name_of(owner_id) if owner_id else "nobody"
                scope = call.scopes(name)[0].widest
                msg = f"you may not make {whose} the owner of {one(kind.name)}: your scope for {name} is {scope}"
                raise Forbidden(msg, permission=name, owner_id=owner_id)

    def _permission(self, kind: Kind, action: str) -> str:
        """Under which permission this call writes a kind: its tool's own, if that is about this kind."""
        call = self._call
        own = call.tool.permission if call.cause is None else None
        if own is not None and call.tool.effect != "read" and own.partition(":")[0] == kind.resource:
            return own
        return f"{kind.resource}:{action}"

    def _check_fields(self, kind: Kind, values: Mapping[str, Any]) -> None:
        if unknown := sorted(set(values) - kind.fields):
            msg = f"{kind.table.name} has no field {unknown[0]!r} that a pack may write"
            raise LookupError(msg)

    def _check_guards(self, kind: Kind, values: Mapping[str, Any]) -> None:
        creating = self._call.tool.effect == "create"  # where a field that is left out comes as None
        for name, guard in kind.guards.items():
            given = name in values and not (creating and values[name] is None)
            if given and not any(self._call.scopes(guard.permission)):
                raise Forbidden(guard.message, field=name, permission=guard.permission)

    async def _pointed(self, kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, with each pointer led to a record that the caller may read."""
        led = dict(values)
        for name in kind.pointers:
            if led.get(name) is not None:
                led[name] = await self.resolve(name, led[name], kind.table.c[name].info.get("kind"))
                self._hold(led[name])
        return led

    def _hold(self, record_id: str) -> None:
        """What is pointed at is still there when this call commits: deleted or merged meanwhile, the call runs anew."""
        known, key = self._call.unit.known, ("held", record_id)
        if key not in known and record_id not in self.ledger.touched:
            known[key] = None
            self._call.unit.write(Write(_hold, {"key": record_id}, expect=1, row=("records", record_id)))

    async def _stale(self, kind: Kind, row: Row, expected: int) -> Conflict:
        since = await self._call.unit.before(
            _changed_since, {"key": row["id"], "most": max(1, min(20, row["version"] - expected))}
        )
        changed = sorted({name for change in since for name in change["after"] or {}})
        msg = (
            f"the {kind.name} is at version {row['version']}, you expected {expected}; "
            f"since then {', '.join(changed) or 'it'} changed: read it again and decide anew"
        )
        return Conflict(msg, version=row["version"], expected_version=expected, changed=changed)

    async def current(self, kind: Kind, record_id: str) -> Row | None:
        """The row as this call has left it, whoever may read it: for the core alone."""
        known = self._call.unit.known
        if (kind.table.name, record_id) in known:
            return known[kind.table.name, record_id]
        return await self._call.unit.before_of(_by_id(kind.table), record_id)

    async def all_details(self, kind: Kind, record_id: str) -> list[tuple[Detail, Row]]:
        """Every detail of a record."""
        details = [item for item in self._call.registry.details_by_table.values() if item.kind is kind]
        return [(item, row) for item in details for row in await self.details(item, record_id)]
