"""SQLAlchemy statements made ready for a bare driver: compiled once, run many times.

SQLAlchemy builds and compiles; the drivers run. What lies between (binding values, turning rows into Python
values) follows the column types, so a pack may use any type that SQLAlchemy knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy.sql import Executable, Insert

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = ["JSON", "NEW", "Compiler", "Row", "Statement", "Write"]

Row = dict[str, Any]
Statement = Executable
Convert = Callable[[Any], Any] | None


def _json(value: Any) -> str:
    # SQLAlchemy's names of columns are a kind of str that is none to the encoder
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


JSON: dict[str, Any] = {"json_serializer": _json, "json_deserializer": orjson.loads}
"""How a dialect makes text of JSON values, and values of text."""
NEW: tuple[str, ...] = ()
_NUMERIC = 1700
"""Postgres's number for its type `numeric`, which SQLAlchemy's type for numbers there asks for; no other does."""
_REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Write:
    """One statement of a burst. `expect` is the number of rows it must touch; None: any."""

    statement: Statement
    values: Mapping[str, Any]
    expect: int | None = None
    row: tuple[str, ...] | None = None
    """The one row that it touches, by table and id; `NEW` for a row that nothing else can touch; None: not known."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Prepared:
    """The SQL of a statement for one dialect, and the way in and out for its values."""

    sql: str
    binds: tuple[tuple[str, Any, Convert], ...]
    names: tuple[str, ...] | None
    """The columns of the result; None where the driver alone knows them."""
    converted: tuple[tuple[str, Callable[[Any], Any]], ...]
    """The columns whose values the driver does not give as they are wanted."""

    def arguments(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values in the order of the placeholders. One that is absent takes the statement's own.

        Raises `KeyError` where the statement has none.
        """
        result = []
        for name, own, convert in self.binds:
            value = values[name] if own is _REQUIRED else values.get(name, own)
            result.append(value if convert is None or value is None else convert(value))
        return tuple(result)

    def rows(self, raw: list[Any]) -> list[Row]:
        """The driver's rows as dicts of Python values."""
        if self.names is None:
            return [dict(row) for row in raw]
        names, converted = self.names, self.converted
        rows = [dict(zip(names, row, strict=True)) for row in raw]
        for row in rows:
            for name, convert in converted:
                if (value := row[name]) is not None:
                    row[name] = convert(value)
        return rows


class Compiler:
    """Compiles each statement once. Statements are told apart by identity: build the frequent ones once."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._prepared: WeakKeyDictionary[Statement, Prepared] = WeakKeyDictionary()

    def prepare(self, statement: Statement) -> Prepared:
        """The prepared form of `statement`."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = self._compile(statement)
        return prepared

    def _compile(self, statement: Any) -> Prepared:
        keys = None
        if isinstance(statement, Insert):  # every column is given, but for the numbers that the database counts
            keys = [column.key for column in statement.table.columns if column.autoincrement is not True]
            statement = statement.inline()  # nobody asks for those numbers
        compiled = statement.compile(dialect=self.dialect, column_keys=keys)
        # lists of values are written out; the public way to do that insists on every other value, too
        expanded = compiled._process_parameters_for_postcompile(  # noqa: SLF001
            compiled.construct_params(escape_names=False, _no_postcompile=True, _check=False)
        )
        inserts = isinstance(statement, Insert)
        own = {
            name: (None if inserts else _REQUIRED)
            if name in compiled.binds and compiled.binds[name].required
            else value
            for name, value in expanded.parameters.items()
        }
        binds = tuple(
            (name, own.get(name), compiled.binds[name].type.dialect_impl(self.dialect).bind_processor(self.dialect))
            if name in compiled.binds
            else (name, own.get(name), expanded.processors.get(name))  # one of a list
            for name in expanded.positiontup or ()
        )
        exported = getattr(statement, "exported_columns", None) or {}
        converts = {
            str(name): column.type.dialect_impl(self.dialect).result_processor(self.dialect, _NUMERIC)
            for name, column in exported.items()
        }
        return Prepared(
            expanded.statement,
            binds,
            tuple(converts) or None,
            tuple((name, convert) for name, convert in converts.items() if convert is not None),
        )
