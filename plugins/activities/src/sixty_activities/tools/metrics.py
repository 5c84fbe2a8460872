"""The tool that counts activities. The sums are made in SQL, for the weeks too: by the moments at which they begin."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sixty import Arguments, Call, DateRange, Day, Id, Instant, Invalid, RecordId, counted, tool
from sixty_activities.models import ActivityMetrics, Definition, LeftOut, Metric, Totals
from sixty_activities.rules import STATUSES, Status, mondays, week_of
from sixty_activities.tables import activities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sixty import Row

__all__ = ["get_activity_metrics"]

GroupBy = Literal["type", "owner", "week", "status"]

_DAYS = 30
"""Days of the window, unless told otherwise."""
_WEEKS = 105
"""Weeks that begin within a window at the most: two years, and what is left of a week."""
_when = activities.c.happens_at
_DATE_FIELD = "completed_at, or scheduled_at of what is not completed"


class GetActivityMetrics(Arguments):
    """The arguments of `get_activity_metrics`."""

    start: Day | None = None
    end: Day | None = None
    owner_id: RecordId | None = None
    group_by: GroupBy = "type"


@tool("get_activity_metrics", permission="activities:read", effect="read", rate="strict", aggregates=True)
async def get_activity_metrics(args: GetActivityMetrics, call: Call) -> ActivityMetrics:
    """Count completed activities and their minutes by type, owner or week (its Monday), or all of them by status.

    The window is the last 30 days unless given. Groups without any are left out; `definition` says what else is.
    """
    call.check_user(args.owner_id)
    days = _window(args, call.today)
    values = {**_moments(days, call), "owner_id": args.owner_id}
    if args.group_by == "week":
        values |= _weeks(days, call, values["end"])
    rows = await call.rows(_sums(args.group_by, of_owner=args.owner_id is not None), values)
    statuses: tuple[Status, ...] = STATUSES if args.group_by == "status" else ("completed",)
    wanted = [row for row in rows if row["status"] in statuses]
    metrics = _metrics(wanted, args.group_by, days, call)
    totals = Totals(count=_total(wanted, "activities"), minutes=_minutes(wanted))
    definition = Definition(
        window={"from": days[0], "to": days[1]},
        timezone=call.timezone.key,
        date_field=_DATE_FIELD,
        counted=list(statuses),
        left_out=_left_out(rows, wanted),
    )
    window = f"from {days[0]} to {days[1]} ({call.timezone.key})"
    missing = None if wanted else _missing(definition.left_out, window)
    message = missing or f"{counted(totals.count, 'activity')} {window}, in {counted(len(metrics), 'group')}"
    return ActivityMetrics(
        message=message, metrics=metrics, totals=totals, definition=definition, insufficient_data=missing
    )


def _window(args: GetActivityMetrics, today: date) -> tuple[date, date]:
    """The first and the last day."""
    last = args.end or today
    first = args.start or date.fromordinal(max(1, last.toordinal() - _DAYS + 1))
    if first > last:
        until = f"{last}" if args.end else f"{last}, which is today; give an end, too"
        raise Invalid(f"start must not be after end: {first} is after {until}", field="start", given=str(first))
    if args.group_by == "week" and len(mondays(first, last)) > _WEEKS:
        msg = f"by week, start and end may be {_WEEKS} weeks apart, and {first} and {last} are more; ask for fewer"
        raise Invalid(msg, field="start", given=str(first))
    return first, last


def _moments(days: tuple[date, date], call: Call) -> dict[str, Any]:
    start, end = DateRange(start=days[0], end=days[1]).moments(call.timezone)
    return {"start": start, "end": end or datetime.max.replace(tzinfo=UTC)}


def _weeks(days: tuple[date, date], call: Call, end: datetime) -> dict[str, datetime]:
    """When each further week begins; those that there are not begin with the end, where no activity is."""
    begins = [DateRange(start=day).moments(call.timezone)[0] or end for day in mondays(*days)]
    return {f"week_{number}": begins[number] if number < len(begins) else end for number in range(_WEEKS)}


@lru_cache
def _sums(group_by: GroupBy, *, of_owner: bool) -> sa.Select[Any]:
    """Per group and status: the activities in the window, their minutes, and how many of them have any."""
    bounds = [_when >= sa.bindparam("start", type_=Instant), _when < sa.bindparam("end", type_=Instant)]
    if of_owner:
        bounds.append(activities.c.owner_id == sa.bindparam("owner_id", type_=Id))
    inner = sa.select(_group(group_by).label("bucket"), activities.c.status, activities.c.duration_minutes)
    found = inner.where(*bounds).subquery("found")
    return sa.select(
        found.c.bucket,
        found.c.status,
        sa.func.count().label("activities"),
        sa.func.count(found.c.duration_minutes).label("timed"),
        sa.func.sum(found.c.duration_minutes).label("minutes"),
    ).group_by(found.c.bucket, found.c.status)


def _group(group_by: GroupBy) -> sa.ColumnElement[Any]:
    if group_by != "week":
        return activities.c["owner_id" if group_by == "owner" else group_by]
    number = [(_when < sa.bindparam(f"week_{n}", type_=Instant), sa.literal(n, sa.Integer)) for n in range(_WEEKS)]
    return sa.case(*number, else_=sa.literal(_WEEKS, sa.Integer))


def _metrics(rows: Sequence[Row], group_by: GroupBy, days: tuple[date, date], call: Call) -> list[Metric]:
    """The groups: weeks in their order, all others with the largest first."""
    if group_by == "week":
        names = [str(week_of(day)) for day in (days[0], *mondays(*days))]
        return [_metric(names[row["bucket"]], row) for row in sorted(rows, key=lambda row: int(row["bucket"]))]
    ranked = sorted(rows, key=lambda row: (-row["activities"], row["bucket"] or ""))
    if group_by == "owner":
        return [_metric(row["bucket"] or "nobody", row, call.directory.name_of(row["bucket"])) for row in ranked]
    return [_metric(row["bucket"], row) for row in ranked]


def _metric(group: str, row: Row, name: str | None = None) -> Metric:
    return Metric(group=group, name=name, count=row["activities"], minutes=_minutes([row]))


def _left_out(rows: Iterable[Row], wanted: Sequence[Row]) -> LeftOut:
    others = [row for row in rows if row not in wanted]
    return LeftOut(
        scheduled=_total((row for row in others if row["status"] == "scheduled"), "activities"),
        cancelled=_total((row for row in others if row["status"] == "cancelled"), "activities"),
        no_duration=_total(wanted, "activities") - _total(wanted, "timed"),
    )


def _total(rows: Iterable[Mapping[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _minutes(rows: Iterable[Mapping[str, Any]]) -> int | None:
    known = [int(row["minutes"]) for row in rows if row["timed"]]
    return sum(known) if known else None


def _missing(left_out: LeftOut, window: str) -> str:
    """Why nothing was counted."""
    others = [
        f"{count} {name}"
        for name, count in (("scheduled", left_out.scheduled), ("cancelled", left_out.cancelled))
        if count
    ]
    if others:
        return f"No activity that you can see was completed {window}; {' and '.join(others)} there"
    return f"There is no activity that you can see {window}"
