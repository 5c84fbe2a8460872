"""Rows with their history: each write of a record is its row, its place on the spine, its change and its words.

The ledger asks for nobody's permission; `records.py` does, and `changes.py` for undo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from sixty import search
from sixty.storage.columns import Cents, Id, Instant
from sixty.storage.statements import NEW, Write
from sixty.tables import changes, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sixty.kinds import Detail, Kind
    from sixty.registry import Registry
    from sixty.storage.statements import Row
    from sixty.unit import UnitOfWork

__all__ = ["Ledger", "Origin", "decoded", "decoded_value", "encoded", "encoded_value"]

_PLAIN = (str, int, bool)
_KEY = sa.bindparam("key", type_=Id)
_insert_record = sa.insert(records)
_insert_change = sa.insert(changes)
_touch_record = (
    sa.update(records)
    .where(records.c.id == _KEY, records.c.version == sa.bindparam("seen"))
    .values(
        version=sa.bindparam("next_version"),
        updated_at=sa.bindparam("now", type_=Instant),
        owner_id=sa.bindparam("next_owner", type_=Id),
        deleted_at=sa.bindparam("gone", type_=Instant),
        merged_into=sa.bindparam("into", type_=Id),
    )
)


@lru_cache(maxsize=512)
def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table)


@lru_cache(maxsize=2048)
def _update(table: sa.Table, names: tuple[str, ...]) -> sa.Update:
    values = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    return sa.update(table).where(table.c.id == _KEY).values(values)


@lru_cache(maxsize=512)
def _delete(table: sa.Table) -> sa.Delete:
    return sa.delete(table).where(table.c.id == _KEY)


def encoded_value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """A value of a column as JSON keeps it. Money stays in whole hundredths."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value * 100) if isinstance(kind, Cents) else str(value)
    return value


def decoded_value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """The inverse of `encoded_value`. Raises `ValueError` or `TypeError` for what is no value of the column."""
    if value is None:
        return None
    if isinstance(kind, Instant | sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, Cents):
        return Decimal(value) / 100
    if isinstance(kind, Id):
        return str(UUID(value))
    if isinstance(kind, sa.String) and not isinstance(value, str):
        raise TypeError(value)
    if isinstance(kind, sa.Integer | sa.Float) and not isinstance(value, int | float):
        raise TypeError(value)
    return Decimal(value) if isinstance(kind, sa.Numeric) and isinstance(value, str) else value


def encoded(table: sa.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a row as the history keeps them."""
    return {
        name: value if value is None or type(value) in _PLAIN else encoded_value(table.c[name].type, value)
        for name, value in values.items()
    }


def decoded(table: sa.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `encoded`. Fields that the table no longer has are left out."""
    return {name: decoded_value(table.c[name].type, value) for name, value in values.items() if name in table.c}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from: in which call, by whom, when, under which permission, and what caused it."""

    call_id: str
    by: str
    at: datetime
    permission: str | None
    cause: str | None = None


@dataclass(slots=True)
class Ledger:
    """Writes rows of one unit of work."""

    unit: UnitOfWork
    registry: Registry
    position: int = 0
    """How many changes the call has made so far."""
    touched: dict[str, str] = field(default_factory=dict)
    """The kind of each record that was written, by id."""

    def insert(self, kind: Kind, row: Row, origin: Origin) -> None:
        """A new record exists."""
        spine = {name: row[name] for name in ("id", "owner_id", "version", "created_at", "updated_at")}
        self.unit.write(Write(_insert_record, {**spine, "kind": kind.name}, row=("records", row["id"])))
        self._put(kind, row)
        self._change(kind.table, row["id"], row["id"], origin, after=row)
        self.touched[row["id"]] = kind.name

    def update(self, kind: Kind, before: Row, values: Mapping[str, Any], origin: Origin) -> Row:
        """The record has other values, and its next version. `StaleWrite` on commit if it has changed meanwhile."""
        stamp = {"version": before["version"] + 1, "updated_at": origin.at}
        after = {**before, **values, **stamp}
        self._touch(before, after, origin)
        names = tuple(sorted({*values, *stamp}))
        bound = {f"new_{name}": after[name] for name in names}
        key = before["id"]
        self.unit.write(Write(_update(kind.table, names), {"key": key, **bound}, expect=1, row=(kind.table.name, key)))
        if (searchable := self.registry.searchables.get(kind.name)) is not None:
            for write in search.reindex(searchable, before, after):
                self.unit.write(write)
        was = {name: before[name] for name in values}
        self._change(kind.table, before["id"], before["id"], origin, before=was, after=values)
        self.unit.known[kind.table.name, before["id"]] = after
        self.touched[before["id"]] = kind.name
        return after

    def delete(
        self, kind: Kind, row: Row, details: Iterable[tuple[Detail, Row]], origin: Origin, into: str | None = None
    ) -> None:
        """The record and its details are gone; the spine keeps its place, and leads to `into` if it was merged."""
        for detail, part in details:
            self.delete_detail(detail, part, origin)
        gone = {**row, "version": row["version"] + 1, "updated_at": origin.at}
        self._touch(row, gone, origin, deleted=True, into=into)
        self.unit.write(Write(_delete(kind.table), {"key": row["id"]}, expect=1))
        if kind.name in self.registry.searchables:
            self.unit.write(search.forget(row["id"]))
        self._change(kind.table, row["id"], row["id"], origin, before=row)
        self.unit.known[kind.table.name, row["id"]] = None
        self.touched[row["id"]] = kind.name

    def restore(self, kind: Kind, row: Row, seen: int, origin: Origin) -> None:
        """A deleted record is back as `row`; `seen` is the version that the spine has now."""
        after = {**row, "version": seen + 1, "updated_at": origin.at}
        self._touch({**row, "version": seen}, after, origin)
        self._put(kind, after)
        self._change(kind.table, row["id"], row["id"], origin, after=after)
        self.touched[row["id"]] = kind.name

    def insert_detail(self, detail: Detail, row: Row, origin: Origin) -> None:
        """A record has one more detail."""
        self.unit.write(Write(_insert(detail.table), row, row=(detail.table.name, row["id"])))
        self._change(detail.table, row[detail.parent], row["id"], origin, after=row)
        self.touched[row[detail.parent]] = detail.kind.name

    def update_detail(self, detail: Detail, before: Row, values: Mapping[str, Any], origin: Origin) -> Row:
        """A detail has other values."""
        names = tuple(sorted(values))
        bound = {f"new_{name}": values[name] for name in names}
        key = before["id"]
        self.unit.write(
            Write(_update(detail.table, names), {"key": key, **bound}, expect=1, row=(detail.table.name, key))
        )
        was = {name: before[name] for name in values}
        self._change(detail.table, before[detail.parent], before["id"], origin, before=was, after=values)
        self.touched[before[detail.parent]] = detail.kind.name
        return {**before, **values}

    def delete_detail(self, detail: Detail, row: Row, origin: Origin) -> None:
        """A detail is gone."""
        self.unit.write(Write(_delete(detail.table), {"key": row["id"]}, expect=1))
        self._change(detail.table, row[detail.parent], row["id"], origin, before=row)
        self.touched[row[detail.parent]] = detail.kind.name

    def move(self, table: Any, column: str, row_id: str, origin: Origin, *, old: str, new: str) -> None:
        """A pointer in the table of a pack that is not loaded leads to `new`."""
        statement = sa.update(table).where(table.c.id == _KEY).values({column: sa.bindparam("target", type_=Id)})
        self.unit.write(Write(statement, {"key": row_id, "target": new}, expect=1))
        self._change(table, old, row_id, origin, before={column: old}, after={column: new})

    def _put(self, kind: Kind, row: Row) -> None:
        self.unit.write(Write(_insert(kind.table), row, row=(kind.table.name, row["id"])))
        if (searchable := self.registry.searchables.get(kind.name)) is not None:
            self.unit.write(search.index(searchable, row))
        self.unit.known[kind.table.name, row["id"]] = row

    def _touch(
        self, before: Row, after: Row, origin: Origin, *, deleted: bool = False, into: str | None = None
    ) -> None:
        spine = {
            "key": before["id"],
            "seen": before["version"],
            "next_version": after["version"],
            "now": origin.at,
            "next_owner": after["owner_id"],
            "gone": origin.at if deleted else None,
            "into": into,
        }
        self.unit.write(Write(_touch_record, spine, expect=1, row=("records", before["id"])))

    def _change(
        self,
        table: sa.Table,
        record_id: str,
        row_id: str,
        origin: Origin,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        change = {
            "call_id": origin.call_id,
            "position": self.position,
            "record_id": record_id,
            "table_name": table.name,
            "row_id": row_id,
            "op": "insert" if before is None else "delete" if after is None else "update",
            "before": None if before is None else encoded(table, before),
            "after": None if after is None else encoded(table, after),
            "at": origin.at,
            "by": origin.by,
            "permission": origin.permission,
            "cause": origin.cause,
        }
        self.unit.write(Write(_insert_change, change, row=NEW))
        self.position += 1
