"""Functions that both databases have, each under its own name."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from sixty.storage.columns import Id, Json

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["each", "epoch", "gathered"]

_SECONDS = "unixepoch({})" if sqlite3.sqlite_version_info >= (3, 38) else "CAST(strftime('%s', {}) AS INTEGER)"


class epoch(FunctionElement[int]):  # noqa: N801 - a function, as SQLAlchemy names its own
    """The whole seconds from 1970 to an `Instant`, rounded down: to subtract, to sum, to put into buckets."""

    type = sa.BigInteger()
    inherit_cache = True
    name = "epoch"


class each(FunctionElement[Any]):  # noqa: N801 - as above
    """The texts of a JSON array, as a relation with the one column `value`: a list of any length in one parameter."""

    inherit_cache = True
    name = "each"

    def texts(self) -> sa.Select[tuple[str]]:
        """The texts, for `column.in_(…)`."""
        return sa.select(self.table_valued(sa.column("value", sa.String), name="each_text").c.value)


class gathered(FunctionElement[list[Any]]):  # noqa: N801 - as above
    """A column of a group as one JSON array, ids as what `uuid.UUID` takes: much cheaper than thousands of rows."""

    type = Json()
    inherit_cache = True
    name = "gathered"


@compiles(each, "sqlite")
def _each_on_sqlite(element: each, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608 - no value in it


@compiles(each, "postgresql")
def _each_on_postgres(element: each, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT jsonb_array_elements_text({compiler.process(element.clauses, **options)}) AS value)"


@compiles(gathered, "sqlite")
def _gathered_on_sqlite(element: gathered, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    value = compiler.process(column, **options)
    return f"json_group_array({f'hex({value})' if isinstance(column.type, Id) else value})"


@compiles(gathered, "postgresql")
def _gathered_on_postgres(element: gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(json_agg({compiler.process(element.clauses, **options)}), '[]')"


@compiles(epoch, "sqlite")
def _on_sqlite(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    # SQLite rounds to milliseconds, and so up to the next second; to cut off the fraction takes three times as long
    whole = _SECONDS.format(f"substr({moment}, 1, 19)")
    return f"CASE WHEN {moment} GLOB '*.999[5-9]*' THEN {whole} ELSE {_SECONDS.format(moment)} END"


@compiles(epoch, "postgresql")
def _on_postgres(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"
