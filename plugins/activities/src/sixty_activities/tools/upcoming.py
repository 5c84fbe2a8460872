"""The tool that tells what is coming, and what should have happened. Names come from other packs' views, if any."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from pydantic import Field

from sixty import Arguments, Call, Cursor, DateRange, Instant, Limit, Order, RecordId, page, tool
from sixty.crm import CONTACTS, DEALS
from sixty_activities.models import UpcomingFound
from sixty_activities.tables import ACTIVITY, IS_SCHEDULED, activities
from sixty_activities.tools.types import GivenType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sixty import PageOf, Row

__all__ = ["get_upcoming_activities"]

_EQUAL = ("type", "owner_id")
_when = activities.c.happens_at
_ORDER = (Order(_when), Order(activities.c.id))


class GetUpcomingActivities(Arguments):
    """The arguments of `get_upcoming_activities`."""

    days_ahead: Annotated[int, Field(ge=0, le=365)] = 7
    type_filter: GivenType | None = None
    include_overdue: bool = True
    owner_id: RecordId | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


@tool("get_upcoming_activities", permission="activities:read", effect="read")
async def get_upcoming_activities(args: GetUpcomingActivities, call: Call) -> UpcomingFound:
    """List what is scheduled until the end of the day days_ahead days from now, the soonest first; overdue before."""
    call.check_user(args.owner_id)
    until = call.today + timedelta(days=args.days_ahead)
    given = {
        "type": args.type_filter,
        "owner_id": args.owner_id,
        "now": None if args.include_overdue else call.now,
        "end": DateRange(end=until).moments(call.timezone)[1],
    }
    values = {name: value for name, value in given.items() if value is not None}
    statement = _upcoming(frozenset(values), with_deals=DEALS in call.views, with_contacts=CONTACTS in call.views)
    found = await page(call, statement, values, order=_ORDER, limit=args.limit, cursor=args.cursor)
    rows = [_shown(row, call) for row in found.rows]
    return UpcomingFound.model_validate(
        {
            "message": await _told(found, rows, until, call),
            "activities": rows,
            "until": until,
            "timezone": call.timezone.key,
            **found.fields(),
        }
    )


@lru_cache(maxsize=64)
def _upcoming(given: frozenset[str], *, with_deals: bool, with_contacts: bool) -> sa.Select[Any]:
    """What is scheduled, with the names of what it is about as far as somebody publishes them."""
    columns: list[Any] = [activities]
    joined: sa.FromClause = activities
    if with_deals:
        columns.append(DEALS.c.title.label("deal_title"))
        joined = joined.outerjoin(DEALS.table, DEALS.c.id == activities.c.deal_id)
    if with_contacts:
        columns += [CONTACTS.c.first_name, CONTACTS.c.last_name]
        joined = joined.outerjoin(CONTACTS.table, CONTACTS.c.id == activities.c.contact_id)
    return sa.select(*columns).select_from(joined).where(*_conditions(given))


def _conditions(given: frozenset[str]) -> Iterator[sa.ColumnElement[bool]]:
    yield IS_SCHEDULED
    yield _when < sa.bindparam("end", type_=Instant)
    for name in _EQUAL:
        if name in given:
            yield activities.c[name] == sa.bindparam(name, type_=activities.c[name].type)
    if "now" in given:
        yield _when >= sa.bindparam("now", type_=Instant)


def _shown(row: Row, call: Call) -> dict[str, Any]:
    names = (row.get("first_name"), row.get("last_name"))
    contact = " ".join(name for name in names if name) or None
    return {**row, "overdue": row["scheduled_at"] < call.now, "contact_name": contact}


async def _told(found: PageOf, rows: list[dict[str, Any]], until: date, call: Call) -> str:
    days = f"{until} ({call.timezone.key})"
    if not found.total:
        return f"Nothing that you can see is scheduled until {days}"
    overdue = sum(row["overdue"] for row in rows)
    late = f"; {overdue} overdue" if overdue else ""
    many = await call.found(found, ACTIVITY, narrowed=True)
    return f"Until {days}: {many[:1].lower()}{many[1:]}{late}"
