"""Completion of the ids of records: people type words of a title, or the beginning of an id."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.prompts import Completing, completion
from sixty.search import ALL, QUERY, hits, match_query
from sixty.storage.columns import Id

if TYPE_CHECKING:
    from sixty.context import Call
    from sixty.kinds import Kind, Searchable
    from sixty.prompts import Completion

__all__ = ["find_ids", "ids_of"]

MOST = 20
"""Ids that one completion offers."""
_MANY = sa.bindparam("most", type_=sa.Integer)


def ids_of(searchable: Searchable, *addresses: str) -> tuple[Completion, ...]:
    """The completions of `<kind>_id`, wherever it is asked for, and of `id` in these addresses."""
    kind = searchable.kind

    async def complete(args: Completing, call: Call) -> list[str]:
        """Ids of records, by words of their titles or the beginning of the id."""
        return await find_ids(call, kind, args.value)

    permission = f"{kind.resource}:read"
    everywhere = completion(f"{kind.name}_id", permission=permission)(complete)
    return (everywhere, *(completion("id", permission=permission, of=address)(complete) for address in addresses))


async def find_ids(call: Call, kind: Kind, typed: str) -> list[str]:
    """The ids of the records of a kind that `typed` may mean, best first: of those that the caller may read."""
    call = call.within(kind)
    query = match_query(typed, call.host.database.dialect_name)
    if query is None:
        rows = await call.rows(_newest(kind), {"most": MOST})
        return [row["id"] for row in rows]
    rows = await call.rows(_titled(kind), {**ALL, QUERY: query, "most": MOST})
    found = [row["id"] for row in rows]
    if (bounds := _bounds(typed)) is not None:
        rows = await call.rows(_between(kind), {"lowest": bounds[0], "highest": bounds[1], "most": MOST})
        found = [*(row["id"] for row in rows if row["id"] not in found), *found]
    return found[:MOST]


def _bounds(typed: str) -> tuple[str, str] | None:
    """The lowest and the highest id that begins with `typed`, or None if none does."""
    digits = typed.strip().lower().replace("-", "")
    if not digits or len(digits) > _DIGITS or not set(digits) <= set("0123456789abcdef"):
        return None
    lowest, highest = digits.ljust(_DIGITS, "0"), digits.ljust(_DIGITS, "f")
    return _dashed(lowest), _dashed(highest)


_DIGITS = 32


def _dashed(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@lru_cache(maxsize=256)
def _newest(kind: Kind) -> sa.Select[Any]:
    table = kind.table
    return sa.select(table.c.id).order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(_MANY)


@lru_cache(maxsize=256)
def _titled(kind: Kind) -> sa.Select[Any]:
    table, found = kind.table, hits(kind)
    joined = sa.select(table.c.id).join(found, found.c.record_id == table.c.id)
    return joined.order_by(found.c.rank, table.c.id.desc()).limit(_MANY)


@lru_cache(maxsize=256)
def _between(kind: Kind) -> sa.Select[Any]:
    table = kind.table
    lowest, highest = sa.bindparam("lowest", type_=Id), sa.bindparam("highest", type_=Id)
    return sa.select(table.c.id).where(table.c.id >= lowest, table.c.id <= highest).order_by(table.c.id).limit(_MANY)
