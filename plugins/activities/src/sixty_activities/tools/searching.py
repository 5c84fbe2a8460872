"""The tool that finds activities. Each shape of a search is one statement, built once; the values are bound."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from sixty import Arguments, Call, Cursor, DateRange, Instant, Invalid, Limit, Order, RecordId, Text, page, tool
from sixty.search import BEST, OLDER, QUERY, hits, match_query
from sixty_activities.models import ActivitiesFound
from sixty_activities.rules import Status
from sixty_activities.tables import ACTIVITY, activities
from sixty_activities.tools.types import GivenType

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["search_activities"]

_EQUAL = ("type", "status", "deal_id", "contact_id", "owner_id")
_when = activities.c.happens_at


class SearchActivities(Arguments):
    """The arguments of `search_activities`."""

    query: Text | None = None
    type: GivenType | None = None
    status: Status | None = None
    deal_id: RecordId | None = None
    contact_id: RecordId | None = None
    owner_id: RecordId | None = None
    date_range: DateRange | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


class Search(NamedTuple):
    """One shape of a search."""

    statement: sa.Select[Any]
    order: tuple[Order, ...]


@tool("search_activities", permission="activities:read", effect="read")
async def search_activities(args: SearchActivities, call: Call) -> ActivitiesFound:
    """Find activities by words, type, status, deal, contact, owner or days; the latest first.

    query takes words, or their beginnings, of description, outcome and notes, and puts the best first. date_range
    is about the day on which an activity was held, or else is scheduled.
    """
    values = await _values(args, call)
    search = _search(frozenset(values))
    found = await page(call, search.statement, values, order=search.order, limit=args.limit, cursor=args.cursor)
    message = await call.found(found, ACTIVITY, narrowed=bool(values))
    return ActivitiesFound.model_validate({"message": message, "activities": found.rows, **found.fields()})


async def _values(args: SearchActivities, call: Call) -> dict[str, Any]:
    """The values of the filters that are given, by the names of their parameters."""
    call.check_user(args.owner_id)
    given: dict[str, Any] = {name: getattr(args, name) for name in _EQUAL}
    if args.query is not None:
        given[QUERY] = match_query(args.query, call.host.database.dialect_name)
        if given[QUERY] is None:
            msg = f"query must have a word or a number in it, got {args.query!r}"
            raise Invalid(msg, field="query", given=args.query)
    for kind in ("deal", "contact"):
        if given[f"{kind}_id"] is not None:
            given[f"{kind}_id"] = await call.records.resolve(f"{kind}_id", given[f"{kind}_id"], kind)
    if args.date_range is not None:
        given["start"], given["end"] = args.date_range.moments(call.timezone)
    return {name: value for name, value in given.items() if value is not None}


@lru_cache(maxsize=512)
def _search(given: frozenset[str]) -> Search:
    """The search with these parameters."""
    last = Order(activities.c.id, descending=True)
    if QUERY not in given:
        return Search(sa.select(activities).where(*_conditions(given)), (Order(_when, descending=True), last))
    found = hits(ACTIVITY)
    ranked = sa.select(activities, found.c.rank).join(found, found.c.record_id == activities.c.id)
    return Search(ranked.where(*_conditions(given)), (Order(found.c.rank, valued=BEST, empty=OLDER), last))


def _conditions(given: frozenset[str]) -> Iterator[sa.ColumnElement[bool]]:
    for name in _EQUAL:
        if name in given:
            yield activities.c[name] == sa.bindparam(name, type_=activities.c[name].type)
    if "start" in given:
        yield _when >= sa.bindparam("start", type_=Instant)
    if "end" in given:
        yield _when < sa.bindparam("end", type_=Instant)
