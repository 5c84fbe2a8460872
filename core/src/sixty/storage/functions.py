"""Functions that both databases have, each under its own name."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["epoch"]

_SECONDS = "unixepoch({})" if sqlite3.sqlite_version_info >= (3, 38) else "CAST(strftime('%s', {}) AS INTEGER)"


class epoch(FunctionElement[int]):  # noqa: N801 - a function, as SQLAlchemy names its own
    """The whole seconds from 1970 to an `Instant`, rounded down: to subtract, to sum, to put into buckets."""

    type = sa.BigInteger()
    inherit_cache = True
    name = "epoch"


@compiles(epoch, "sqlite")
def _on_sqlite(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    # SQLite rounds to milliseconds, and so up to the next second; to cut off the fraction takes three times as long
    whole = _SECONDS.format(f"substr({moment}, 1, 19)")
    return f"CASE WHEN {moment} GLOB '*.999[5-9]*' THEN {whole} ELSE {_SECONDS.format(moment)} END"


@compiles(epoch, "postgresql")
def _on_postgres(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"
