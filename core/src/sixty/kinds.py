"""Kinds of records: what a pack declares about a table of its own, so that the core can govern it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.errors import PluginError, nearest
from sixty.storage.columns import Id, Instant
from sixty.tables import records, users

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sixty.values import Record

__all__ = ["SPINE", "Detail", "Guard", "Kind", "Searchable", "Tables", "detail_table", "pointer", "record_table"]

SPINE = ("id", "owner_id", "version", "created_at", "updated_at")
"""The columns that every record's row shares with the spine. The unit of work alone writes them."""

LONGEST_NAME = 120
"""Characters of a record's name where it stands for the record."""


def pointer(name: str, *, kind: str | None = None, nullable: bool = True) -> sa.Column[Any]:
    """A column that points at a record of any pack: of `kind`, wherever a pack that has it is loaded.

    The database refuses an id that is no record.
    """
    info = {} if kind is None else {"kind": kind}
    return sa.Column(name, Id, sa.ForeignKey(records.c.id), nullable=nullable, info=info)


def record_table(name: str, metadata: sa.MetaData, *columns: sa.schema.SchemaItem) -> sa.Table:
    """A table whose rows are records: `columns` and those of the spine."""
    table = sa.Table(
        name,
        metadata,
        sa.Column("id", Id, sa.ForeignKey(records.c.id), primary_key=True),
        sa.Column("owner_id", Id, sa.ForeignKey(users.c.id)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        *columns,
    )
    return _indexed(table)


def _indexed(table: sa.Table) -> sa.Table:
    """The table, whose rows are found by what they point at. Those that point at nothing are in no such index.

    They would only be in the way: where all of them point at nothing, a planner takes the index for useless.
    """
    for name in _pointers(table):
        if not table.c[name].index:
            points = table.c[name].is_not(None)
            sa.Index(f"ix_{table.name}_{name}", table.c[name], sqlite_where=points, postgresql_where=points)
    return table


def detail_table(name: str, metadata: sa.MetaData, parent: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    """A table of rows that belong to a record and are nothing by themselves; `parent` is the pointer to it."""
    table = sa.Table(
        name,
        metadata,
        sa.Column("id", Id, primary_key=True),
        sa.Column(parent, Id, sa.ForeignKey(records.c.id), nullable=False, index=True),
        *columns,
    )
    return _indexed(table)


@dataclass(frozen=True, slots=True)
class Guard:
    """A field that needs a permission of its own to be set, whichever tool sets it."""

    permission: str
    message: str


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of record that a pack owns."""

    name: str
    """One word, singular, as agents read it: `deal`."""
    table: sa.Table
    """Made with `record_table`."""
    model: type[Record]
    """How a row is shown."""
    resource: str
    """Whose permissions govern it: `deals` for `deals:read`, `deals:update` and so on."""
    title: str
    """The column that names a record."""
    finder: str = "search_crm"
    """The tool that finds the right id."""
    guards: Mapping[str, Guard] = field(default_factory=lambda: MappingProxyType({}))
    identifying: tuple[str, ...] = ()
    """The columns that tell a person from all others, such as an address: erased with them wherever they stand."""

    @cached_property
    def pointers(self) -> tuple[str, ...]:
        """The columns that point at other records."""
        return _pointers(self.table)

    def name_of(self, row: Mapping[str, Any]) -> str:
        """What a row is called, in one line of at most 120 characters."""
        name = " ".join(str(row[self.title]).split())
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

    def show(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as JSON shows it, by the kind's model."""
        return self.model.model_validate(row).model_dump(mode="json", exclude_none=True)

    def check(self) -> None:
        """Raise `PluginError` unless the table is one of records and has every column that is named."""
        _check_columns(f"the kind {self.name}", self.table, SPINE, "make it with record_table")
        _check_columns(f"the kind {self.name}", self.table, (self.title, *self.guards, *self.identifying))

    @cached_property
    def fields(self) -> frozenset[str]:
        """The columns that a pack may write."""
        return frozenset(column.name for column in self.table.columns) - frozenset(SPINE)


@dataclass(frozen=True, eq=False)
class Detail:
    """Rows that belong to a record of `kind`: scope, history and undo follow their parent."""

    table: sa.Table
    """Made with `detail_table`."""
    kind: Kind
    parent: str
    """The column that points at the record."""

    def check(self) -> None:
        """Raise `PluginError` unless the table has an id and the pointer to its record."""
        _check_columns(f"the detail {self.table.name}", self.table, ("id", self.parent), "make it with detail_table")


def _check_columns(who: str, table: sa.Table, names: Iterable[str], remedy: str = "") -> None:
    for name in names:
        if name not in table.c:
            msg = f"{who}: the table {table.name} lacks the column {name!r}{nearest(name, table.c.keys())}"
            raise PluginError(f"{msg}; {remedy}" if remedy else msg)


def _pointers(table: sa.Table) -> tuple[str, ...]:
    return tuple(
        str(column.name)
        for column in table.columns
        if column.name != "id" and any(key.column is records.c.id for key in column.foreign_keys)
    )


@dataclass(frozen=True, slots=True)
class Tables:
    """What a pack stores.

    `migrations` is the folder of its Alembic revisions. Without one, missing tables are made as declared, which
    is enough until a table changes for the first time.
    """

    metadata: sa.MetaData
    kinds: tuple[Kind, ...] = ()
    details: tuple[Detail, ...] = ()
    migrations: Path | None = None

    def pointers(self) -> list[tuple[str, str]]:
        """Every column of these tables that points at a record, as (table, column)."""
        return [(table.name, name) for table in self.metadata.sorted_tables for name in _pointers(table)]


@dataclass(frozen=True, slots=True)
class Searchable:
    """Which columns of a kind are searched; a hit in the title counts more than one in the body."""

    kind: Kind
    title: str
    body: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise `PluginError` unless the table of the kind has every column that is named."""
        _check_columns(f"the search of {self.kind.name}", self.kind.table, (self.title, *self.body))
