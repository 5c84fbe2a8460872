"""Moving pointers from one record to another, in every pack's tables, loaded or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.storage.columns import Id
from sixty.tables import pointers

if TYPE_CHECKING:
    from sixty.ledger import Ledger, Origin
    from sixty.registry import Registry

__all__ = ["repoint"]

_all_pointers = sa.select(pointers.c.table_name, pointers.c.column_name)


async def repoint(ledger: Ledger, registry: Registry, old: str, new: str, origin: Origin) -> dict[str, int]:
    """Whatever pointed at `old` points at `new`; how many rows moved, by kind (or by table, of a pack not loaded).

    The details of `old` are not pointers: they are a part of it, and stay.
    """
    moved: dict[str, int] = {}
    for pointer in await ledger.unit.before(_all_pointers):
        table, column = pointer["table_name"], pointer["column_name"]
        kind = registry.kinds_by_table.get(table)
        detail = registry.details_by_table.get(table)
        if detail is not None and detail.parent == column:
            continue
        source = kind.table if kind else detail.table if detail else _unknown(table, column)
        rows = await ledger.unit.rows(
            sa.select(source).where(source.c[column] == sa.bindparam("old", type_=Id)), {"old": old}
        )
        for row in rows:
            if kind is not None:
                ledger.update(kind, row, {column: new}, origin)
            elif detail is not None:
                ledger.update_detail(detail, row, {column: new}, origin)
            else:
                ledger.move(source, column, row["id"], origin, old=old, new=new)
        if rows:
            name = kind.name if kind else table
            moved[name] = moved.get(name, 0) + len(rows)
    return moved


def _unknown(table: str, column: str) -> Any:
    return sa.table(table, sa.column("id", Id), sa.column(column, Id))
