"""The tool that finds deals. Each shape of a search is one statement, built once; the values are bound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field, StringConstraints, WithJsonSchema

from sixty import (
    Arguments,
    Call,
    Cents,
    Cursor,
    DateRange,
    Invalid,
    Limit,
    Money,
    Order,
    RecordId,
    Text,
    page,
    tool,
)
from sixty.search import BEST, OLDER, QUERY, hits, match_query, matches
from sixty_deals.models import DealsFound
from sixty_deals.rules import Stage, Status
from sixty_deals.tables import DEAL, WORTH, deals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo


__all__ = ["search_deals"]

DateField = Literal["expected_close_date", "created_at", "updated_at", "closed_at", "contract_end_date"]
_MOST = 100_000_000
Bound = Annotated[Money, Field(ge=0, le=_MOST), WithJsonSchema({"type": "number"})]
Sort = Annotated[str, StringConstraints(pattern=r"^-?(updated_at|created_at|closed_at|expected_close_date|value)$")]

_NEWEST = "-updated_at"
_EQUAL = ("stage", "status", "owner_id", "contact_id")
_BOUNDS = ("min_value", "max_value")
_WORTH = WORTH.label("worth")


class SearchDeals(Arguments):
    """The arguments of `search_deals`."""

    query: Text | None = None
    stage: Stage | None = None
    status: Status | None = None
    min_value: Bound | None = None
    max_value: Bound | None = None
    owner_id: RecordId | None = None
    contact_id: RecordId | None = None
    date_range: DateRange | None = None
    date_field: DateField = "expected_close_date"
    sort: Sort | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """One shape of a search."""

    statement: sa.Select[Any]
    order: tuple[Order, ...]
    unscoped: sa.Select[Any] | None
    """As many rows, for those who may read all deals."""


@tool("search_deals", permission="deals:read", effect="read")
async def search_deals(args: SearchDeals, call: Call) -> DealsFound:
    """Find deals by words, stage, status, value, owner, contact or dates.

    query takes words, or their beginnings, of title, company and notes, and puts the best of the newest 2,000 matches
    first unless sort is given; of more than 10,000 it sees the newest. Otherwise sort is -updated_at; - means
    descending. date_range filters date_field, both days included.
    """
    values = await _values(args, call)
    search = _search(frozenset(values), args.date_field, args.sort)
    found = await page(
        call,
        search.statement,
        values,
        order=search.order,
        limit=args.limit,
        cursor=args.cursor,
        unscoped=search.unscoped,
    )
    message = await call.found(found, DEAL, narrowed=bool(values))
    return DealsFound.model_validate({"message": message, "deals": found.rows, **found.fields()})


async def _values(args: SearchDeals, call: Call) -> dict[str, Any]:
    """The values of the filters that are given, by the names of their parameters."""
    if args.min_value is not None and args.max_value is not None and args.min_value > args.max_value:
        msg = f"min_value must be at most max_value, got {args.min_value} and {args.max_value}"
        raise Invalid(msg, field="min_value", given=float(args.min_value))
    call.check_user(args.owner_id)
    given: dict[str, Any] = {name: getattr(args, name) for name in _EQUAL + _BOUNDS}
    if args.query is not None:
        given[QUERY] = match_query(args.query, call.host.database.dialect_name)
        if given[QUERY] is None:
            msg = f"query must have a word or a number in it, got {args.query!r}"
            raise Invalid(msg, field="query", given=args.query)
    if args.contact_id is not None:
        given["contact_id"] = await call.records.resolve("contact_id", args.contact_id, "contact")
    if args.date_range is not None:
        given |= _days(args.date_range, args.date_field, call.timezone)
    return {name: value for name, value in given.items() if value is not None}


def _days(days: DateRange, field: DateField, zone: ZoneInfo) -> dict[str, Any]:
    """The bounds of a range: days for a date, moments for a time; the end of the latter is no part of it."""
    start, end = (days.start, days.end) if isinstance(deals.c[field].type, sa.Date) else days.moments(zone)
    return {"start": start, "end": end}


@lru_cache(maxsize=512)
def _search(given: frozenset[str], field: DateField, sort: str | None) -> Search:
    """The search with these parameters. Only ranked without a `sort`, and only with a query."""
    columns: list[Any] = [deals]
    joined: sa.FromClause = deals
    order: list[Order] = []
    if QUERY in given:
        found = hits(DEAL)
        joined = deals.join(found, found.c.record_id == deals.c.id)
        if sort is None:
            columns.append(found.c.rank)
            order.append(Order(found.c.rank, valued=BEST, empty=OLDER))
    if not order:
        name = (sort or _NEWEST).removeprefix("-")
        by: Any = _WORTH if name == "value" else deals.c[name]
        order.append(Order(by, descending=(sort or _NEWEST).startswith("-")))
        columns.extend([_WORTH] if name == "value" else [])
    order.append(Order(deals.c.id, descending=True))
    statement = sa.select(*columns).select_from(joined).where(*_conditions(given, field))
    return Search(statement, tuple(order), matches(DEAL) if given == {QUERY} else None)


def _conditions(given: frozenset[str], field: DateField) -> Iterator[sa.ColumnElement[bool]]:
    for name in _EQUAL:
        if name in given:
            yield deals.c[name] == sa.bindparam(name, type_=deals.c[name].type)
    if "min_value" in given:
        yield sa.bindparam("min_value", type_=Cents) <= WORTH
    if "max_value" in given:
        yield sa.bindparam("max_value", type_=Cents) >= WORTH
    column = deals.c[field]
    if "start" in given:
        yield column >= sa.bindparam("start", type_=column.type)
    if "end" in given:
        end = sa.bindparam("end", type_=column.type)
        yield column <= end if isinstance(column.type, sa.Date) else column < end
