"""Pages of a list: an opaque cursor that stands still while rows come and go, and a total that is honest."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

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
    from sixty.storage.statements import Row, Statement

__all__ = ["EXACT", "Order", "PageOf", "Totals", "page", "told"]

EXACT = 10_000
"""Totals are exact up to this number; beyond it they are a lower bound."""


REMEMBERED = 1_000
"""Totals that are remembered at the most."""

_Part = Literal["all", "valued", "empty"]
"""All rows of a list, or only those with a value in the first column of its order, or only those without."""


@dataclass(frozen=True, slots=True)
class Order:
    """One column of a sort order. Rows without a value come last, whichever the direction."""

    column: sa.ColumnElement[Any]
    descending: bool = False
    always: bool = False
    """Whether every row has a value, although the column does not say so."""
    valued: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Further values of the statement's parameters while rows with a value here are read, if this column is first."""
    empty: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The same while those without are."""


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
def _part(statement: Select[Any], order: tuple[Order, ...], after: tuple[bool, ...] | None, part: _Part) -> Select[Any]:
    """The rows of one part of a list, in order; `after` tells in which columns the row before them has a value."""
    first, rest = order[0], order[1:]
    skipped = 0
    if part == "valued":
        statement = statement.where(first.column.is_not(None))
    elif part == "empty":
        statement, order, skipped = statement.where(first.column.is_(None)), rest, 1
    if after is not None:
        statement = statement.where(_after(order, after[skipped:], skipped, bounded=part != "empty"))
    limit = sa.bindparam("page_limit", type_=sa.Integer)
    return statement.order_by(*(_by(item, part == "valued" and item is first) for item in order)).limit(limit)


def _by(item: Order, valued: bool) -> sa.ColumnElement[Any]:  # noqa: FBT001 - private, and named where it is called
    by = item.column.desc() if item.descending else item.column.asc()
    return by.nulls_last() if _optional(item) and not valued else by


def _optional(item: Order) -> bool:
    """Whether rows may be without a value in this column."""
    return not item.always and bool(getattr(item.column, "nullable", True))


def _after(order: tuple[Order, ...], valued: tuple[bool, ...], skipped: int, *, bounded: bool) -> Any:
    """The condition of coming after a given row; `valued` tells in which columns that one has a value.

    A bound that the first column has by itself is where an index begins to be read.
    """
    parts: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    bound = []
    for position, (item, has_value) in enumerate(zip(order, valued, strict=True), skipped):
        given = sa.bindparam(f"page_{position}", type_=item.column.type)
        if has_value:
            beyond = item.column < given if item.descending else item.column > given
            if bounded and not same:
                bound.append(item.column <= given if item.descending else item.column >= given)
            elif _optional(item):
                beyond = sa.or_(beyond, item.column.is_(None))
            parts.append(sa.and_(*same, beyond))
        same.append(item.column == given if has_value else item.column.is_(None))
    return sa.and_(*bound, sa.or_(*parts)) if parts else sa.false()


async def _rows(
    call: Call, statement: Select[Any], values: Mapping[str, Any], order: tuple[Order, ...], place: list[Any] | None
) -> list[Row]:
    """The rows after a place. Those that have a value in the first column come first, by a statement of their own.

    An index has rows without a value at one end, which is not the end for both directions on both databases.
    """
    after = None if place is None else tuple(value is not None for value in place)
    if not _optional(order[0]):
        return await call.rows(_part(statement, order, after, "all"), {**values, **order[0].valued})
    rows: list[Row] = []
    if after is None or after[0]:
        rows = await call.rows(_part(statement, order, after, "valued"), {**values, **order[0].valued})
        after = None
    if len(rows) < values["page_limit"]:
        left = {**values, **order[0].empty, "page_limit": values["page_limit"] - len(rows)}
        rows += await call.rows(_part(statement, order, after, "empty"), left)
    return rows


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
        # by statements as they are scoped, which are gone with the registry that they were scoped in
        self._known: WeakKeyDictionary[Statement, dict[Hashable, tuple[Hashable, int]]] = WeakKeyDictionary()

    async def of(self, call: Call, statement: Select[Any], values: Mapping[str, Any]) -> int:
        """How many rows `statement` has for the caller, at most one more than `EXACT`."""
        counted = _counted(statement)
        state = await call.unit.state()
        key = (tuple(values.items()), call.principal.user_id, call.principal.team_id)
        scoped = call.scoped(counted)
        known = self._known.get(scoped, {}).get(key)
        if known is not None and state is not None and known[0] == state:
            return known[1]
        total: int = (await call.rows(counted, values))[0]["total"]
        if sum(map(len, self._known.values())) >= REMEMBERED:
            self._known.clear()
        self._known.setdefault(scoped, {})[key] = (state, total)
        return total


async def page(
    call: Call,
    statement: Select[Any],
    values: Mapping[str, Any],
    *,
    order: Sequence[Order],
    limit: int,
    cursor: str | None,
    unscoped: Select[Any] | None = None,
) -> PageOf:
    """The rows of `statement` that come after `cursor`, at most `limit` of them.

    The last column of `order` must tell any two rows apart, and `statement` must select every one of its
    columns. Build `statement` and `order` once per shape. `unscoped` has as many rows and is quicker to count, for
    a caller who may read them all. Raises `Invalid` for a cursor that is none of this list.
    """
    order = tuple(order)
    names = [item.column.key or "" for item in order]
    place = None if cursor is None else _read(cursor, order)
    bound = {**values, **{f"page_{position}": value for position, value in enumerate(place or ())}}
    rows = await _rows(call, statement, {**bound, "page_limit": limit + 1}, order, place)
    more = len(rows) > limit
    rows = rows[:limit]
    counted = statement if unscoped is None or call.scoped(statement) is not statement else unscoped
    total = len(rows) if cursor is None and not more else await call.host.totals.of(call, counted, values)
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
