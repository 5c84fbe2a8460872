"""Pages of a list: an opaque cursor that stands still while rows come and go, and a total that is honest."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from sixty.errors import Invalid
from sixty.ledger import decoded_value, encoded_value
from sixty.values import counted, plural

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from sqlalchemy.sql import Select

    from sixty.context import Call
    from sixty.kinds import Kind
    from sixty.storage.statements import Row

__all__ = ["EXACT", "Order", "PageOf", "Totals", "page", "told"]

EXACT = 10_000
"""Totals are exact up to this number; beyond it they are a lower bound."""


REMEMBERED = 1_000
"""Totals that are remembered at the most."""


@dataclass(frozen=True, slots=True)
class Order:
    """One column of a sort order. Rows without a value come last, whichever the direction."""

    column: sa.ColumnElement[Any]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PageOf:
    """One page of rows."""

    rows: list[Row]
    total: int
    total_is_at_least: bool
    next_cursor: str | None

    def fields(self) -> dict[str, Any]:
        """What every list result says about its page."""
        return {
            "count": len(self.rows),
            "total": self.total,
            "total_is_at_least": True if self.total_is_at_least else None,
            "next_cursor": self.next_cursor,
        }


@lru_cache(maxsize=1024)
def _ordered(statement: Select[Any], order: tuple[Order, ...]) -> Select[Any]:
    return statement.order_by(*(_by(item) for item in order)).limit(sa.bindparam("page_limit", type_=sa.Integer))


def _by(item: Order) -> sa.ColumnElement[Any]:
    by = item.column.desc() if item.descending else item.column.asc()
    return by.nulls_last() if _optional(item) else by  # on Postgres no index is sorted with nulls last and descending


def _optional(item: Order) -> bool:
    """Whether rows may be without a value in this column."""
    return bool(getattr(item.column, "nullable", True))


@lru_cache(maxsize=1024)
def _after(statement: Select[Any], order: tuple[Order, ...], empty: tuple[bool, ...]) -> Select[Any]:
    """The rows after a given one; `empty` tells in which columns that one has no value."""
    parts: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    for position, (item, is_empty) in enumerate(zip(order, empty, strict=True)):
        given = sa.bindparam(f"page_{position}", type_=item.column.type)
        if not is_empty:
            beyond = item.column < given if item.descending else item.column > given
            parts.append(sa.and_(*same, sa.or_(beyond, item.column.is_(None)) if _optional(item) else beyond))
        same.append(item.column.is_(None) if is_empty else item.column == given)
    return statement.where(sa.or_(*parts)) if parts else statement.where(sa.false())


@lru_cache(maxsize=1024)
def _counted(statement: Select[Any]) -> Select[Any]:
    inner: Select[Any] = (
        statement.with_only_columns(sa.literal_column("1").label("one"), maintain_column_froms=True)
        .order_by(None)
        .limit(EXACT + 1)
    )
    return sa.select(sa.func.count().label("total")).select_from(inner.subquery())


class Totals:
    """How many rows lists have. A list is counted again only when somebody has written since."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Hashable, int]] = {}

    async def of(self, call: Call, statement: Select[Any], values: Mapping[str, Any]) -> int:
        """How many rows `statement` has for the caller, at most one more than `EXACT`."""
        counted = _counted(statement)
        state = await call.unit.state()
        key = (call.scoped(counted), tuple(values.items()), call.principal.user_id, call.principal.team_id)
        known = self._known.get(key)
        if known is not None and state is not None and known[0] == state:
            return known[1]
        total: int = (await call.rows(counted, values))[0]["total"]
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[key] = (state, total)
        return total


async def page(
    call: Call,
    statement: Select[Any],
    values: Mapping[str, Any],
    *,
    order: Sequence[Order],
    limit: int,
    cursor: str | None,
) -> PageOf:
    """The rows of `statement` that come after `cursor`, at most `limit` of them.

    The last column of `order` must tell any two rows apart, and `statement` must select every one of its
    columns. Build `statement` and `order` once per shape. Raises `Invalid` for a cursor that is none of this list.
    """
    order = tuple(order)
    names = [item.column.key or "" for item in order]
    wanted = statement
    bound = dict(values)
    if cursor is not None:
        place = _read(cursor, order)
        bound |= {f"page_{position}": value for position, value in enumerate(place)}
        wanted = _after(statement, order, tuple(value is None for value in place))
    rows = await call.rows(_ordered(wanted, order), {**bound, "page_limit": limit + 1})
    more = len(rows) > limit
    rows = rows[:limit]
    total = len(rows) if cursor is None and not more else await call.host.totals.of(call, statement, values)
    following = _write([rows[-1][name] for name in names], order) if more else None
    return PageOf(rows, min(total, EXACT), total > EXACT, following)


@lru_cache(maxsize=256)
def _any(kind: Kind) -> Select[Any]:
    return sa.select(kind.table.c.id).limit(1)


async def told(call: Call, found: PageOf, kind: Kind, *, narrowed: bool) -> str:
    """What a list says of a page, in one sentence. `narrowed` tells whether it was asked for only some."""
    count, several = len(found.rows), plural(kind.name)
    if count == found.total:
        if count:
            return f"Found {counted(count, kind.name)}"
        if narrowed and await call.rows(_any(kind)):
            return (
                f"No {kind.name} matches; there are others that you can see, so try with fewer filters or other words"
            )
        return f"There are no {several} that you can see"
    total = f"more than {found.total:,}" if found.total_is_at_least else f"{found.total:,}"
    more = "next_cursor leads on" if found.next_cursor is not None else "this is the last page"
    return f"{count} of {total} {several}; {more}"


def _write(place: list[Any], order: Sequence[Order]) -> str:
    raw = orjson.dumps([encoded_value(item.column.type, value) for item, value in zip(order, place, strict=True)])
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(cursor: str, order: Sequence[Order]) -> list[Any]:
    try:
        raw = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [decoded_value(item.column.type, value) for item, value in zip(order, raw, strict=True)]
    except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
        msg = "the cursor is not one of this list; take next_cursor from the answer before, with the same arguments"
        raise Invalid(msg, field="cursor", given=cursor[:80]) from error
