"""Who performs: what each person has won, lost, opened and done in a window, and what they have open now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import counted
from sixty.crm import ACTIVITIES, DEALS, PEOPLE
from sixty_analytics.intervals import rate
from sixty_analytics.models import Definition, Member, TeamPerformance
from sixty_analytics.sums import (
    END,
    LOST,
    START,
    WON,
    cents,
    count_where,
    days,
    is_completed,
    is_open,
    seconds_between,
    sum_where,
    total,
    total_money,
    value_sum,
)
from sixty_analytics.whose import Shape, Whose
from sixty_analytics.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from sixty import Call, Row

__all__ = ["performance"]

_DAYS = 90
"""Days of the window, unless told otherwise."""
_NOBODY = "nobody"
_RULES = (
    "created: by opened_at; won and lost: by closed_at; open and its values: now, whatever the window",
    "each record counts for whoever owns it today",
    "win_rate: won / (won + lost), low and high its 95 % Wilson interval",
    "mean_won_value: of won deals of known value; mean_days_to_win: from opened_at to closed_at",
    "weighted_open_value: value times the probability of the stage",
    "activities: completed in the window, by type",
)


@dataclass(frozen=True)
class _Rows:
    """What the database says of some people."""

    created: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    open: list[Row] = field(default_factory=list)
    activities: list[Row] | None = None
    """None where nobody keeps any, or the caller may not see any of theirs."""

    def __bool__(self) -> bool:
        return bool(self.created or self.closed or self.open or self.activities)

    def by_owner(self, call: Call) -> Callable[[str | None], _Rows]:
        """Gives those of one owner. Sorted once: a company has many people, and each of them many rows."""
        created, closed, opened, done = map(_by_owner, (self.created, self.closed, self.open, self.activities or ()))

        def of(owner_id: str | None) -> _Rows:
            sees_activities = self.activities is not None and call.sees(ACTIVITIES, owner_id)
            return _Rows(
                created.get(owner_id, []),
                closed.get(owner_id, []),
                opened.get(owner_id, []),
                done.get(owner_id, []) if sees_activities else None,
            )

        return of


def _by_owner(rows: Iterable[Row]) -> Mapping[str | None, list[Row]]:
    owned = defaultdict(list)
    for row in rows:
        owned[row["owner_id"]].append(row)
    return owned


async def performance(
    call: Call, start: date | None = None, end: date | None = None, team_id: str | None = None
) -> TeamPerformance:
    """Everybody whose deals the caller may read, or those in a team: the last 90 days unless a window is given."""
    whose = Whose(team_id=team_id)
    whose.check(call)
    window = Window.of(call, start, end, days=_DAYS)
    rows = await _found(call, window, whose)
    rows_of = rows.by_owner(call)
    members = [_member(person, rows_of(person["id"])) for person in await _people(call, rows_of, whose)]
    if team_id is None and (unowned := rows_of(None)):
        members.append(Member(name=_NOBODY, **_figures(unowned)))
    name = call.directory.teams[team_id].name if team_id is not None else "everybody whose deals you can see"
    team = Member(name=name, **_figures(rows))
    missing = _missing(team, window, call)
    won = [row for row in rows.closed if row["status"] == "won"]
    return TeamPerformance(
        message=missing.get("members") or _told(team, members, window),
        members=members,
        team=team,
        definition=Definition(
            window=window.days,
            timezone=window.zone.key,
            date_field="opened_at, closed_at, and completed_at of activities",
            counted="deals and completed activities, by their owners of today",
            left_out={
                "won_without_value": team.won - total(won, "valued"),
                "no_days_to_win": team.won - total(won, "timed"),
                "open_without_value": team.open - total(rows.open, "valued"),
            },
            rules=list(_RULES),
        ),
        insufficient_data=missing or None,
    )


async def _found(call: Call, window: Window, whose: Whose) -> _Rows:
    values = {**window.moments, **whose.values}
    done = await call.rows(_done(whose.shape), values) if ACTIVITIES in call.views else None
    return _Rows(
        created=await call.rows(_created(whose.shape), values),
        closed=await call.rows(_closed(whose.shape), values),
        open=await call.rows(_open(whose.shape), values),
        activities=done,
    )


@lru_cache
def _created(shape: Shape) -> sa.Select[Any]:
    """How many deals each person opened."""
    return (
        sa.select(DEALS.c.owner_id, sa.func.count().label("deals"))
        .where(DEALS.c.opened_at >= START, DEALS.c.opened_at < END, *Whose.conditions(shape, DEALS.c.owner_id))
        .group_by(DEALS.c.owner_id)
    )


@lru_cache
def _closed(shape: Shape) -> sa.Select[Any]:
    """How many each person won and lost, what these are worth, and how long the won ones took."""
    timed = (DEALS.c.status == WON, DEALS.c.closed_at >= DEALS.c.opened_at)
    return (
        sa.select(
            DEALS.c.owner_id,
            DEALS.c.status,
            sa.func.count().label("deals"),
            sa.func.count(DEALS.c.value).label("valued"),
            value_sum(DEALS.c.value).label("value"),
            count_where(*timed).label("timed"),
            sum_where(seconds_between(DEALS.c.opened_at, DEALS.c.closed_at), *timed).label("seconds"),
        )
        .where(
            DEALS.c.status.in_((WON, LOST)),
            DEALS.c.closed_at >= START,
            DEALS.c.closed_at < END,
            *Whose.conditions(shape, DEALS.c.owner_id),
        )
        .group_by(DEALS.c.owner_id, DEALS.c.status)
    )


@lru_cache
def _open(shape: Shape) -> sa.Select[Any]:
    """How many each person has open in each stage, and what these are worth."""
    return (
        sa.select(
            DEALS.c.owner_id,
            DEALS.c.stage,
            sa.func.count().label("deals"),
            sa.func.count(DEALS.c.value).label("valued"),
            value_sum(DEALS.c.value).label("value"),
            sa.func.min(DEALS.c.probability).label("weight"),
        )
        .where(is_open, *Whose.conditions(shape, DEALS.c.owner_id))
        .group_by(DEALS.c.owner_id, DEALS.c.stage)
    )


@lru_cache
def _done(shape: Shape) -> sa.Select[Any]:
    """How many activities of each type each person completed."""
    return (
        sa.select(ACTIVITIES.c.owner_id, ACTIVITIES.c.type, sa.func.count().label("activities"))
        .where(
            is_completed,
            ACTIVITIES.c.completed_at >= START,
            ACTIVITIES.c.completed_at < END,
            *Whose.conditions(shape, ACTIVITIES.c.owner_id),
        )
        .group_by(ACTIVITIES.c.owner_id, ACTIVITIES.c.type)
    )


@lru_cache
def _everybody() -> sa.Select[Any]:
    return sa.select(PEOPLE.table).order_by(PEOPLE.c.name, PEOPLE.c.id)


async def _people(call: Call, rows_of: Callable[[str], _Rows], whose: Whose) -> list[Row]:
    """Those in the team whose deals the caller may read, by name; who has left only with something to show."""
    return [
        person
        for person in await call.rows(_everybody())
        if whose.team_id in (None, person["team_id"])
        and call.sees(DEALS, person["id"])
        and (person["active"] or rows_of(person["id"]))
    ]


def _member(person: Row, rows: _Rows) -> Member:
    return Member(user_id=person["id"], name=person["name"], team=person["team"], **_figures(rows))


def _figures(rows: _Rows) -> dict[str, Any]:
    """The figures over some rows; money is rounded once, at the end."""
    won = [row for row in rows.closed if row["status"] == "won"]
    lost = [row for row in rows.closed if row["status"] == "lost"]
    value, valued, timed = total_money(won, "value"), total(won, "valued"), total(won, "timed")
    share = rate(total(won, "deals"), total(won, "deals") + total(lost, "deals"))
    worth = [row for row in rows.open if row["value"] is not None]
    weighted = sum((row["value"] * Decimal(repr(row["weight"])) for row in worth), Decimal(0)) if worth else None
    return {
        "created": total(rows.created, "deals"),
        "won": total(won, "deals"),
        "lost": total(lost, "deals"),
        "won_value": value,
        "mean_won_value": cents(value / valued) if value is not None else None,
        "win_rate": share.rate,
        "low": share.low,
        "high": share.high,
        "mean_days_to_win": days(total(won, "seconds"), timed) if timed else None,
        "open": total(rows.open, "deals"),
        "open_value": total_money(rows.open, "value"),
        "weighted_open_value": cents(weighted),
        "activities": None if rows.activities is None else _by_type(rows.activities),
    }


def _by_type(rows: Iterable[Row]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["type"]] = counts.get(row["type"], 0) + row["activities"]
    return dict(sorted(counts.items()))


def _missing(team: Member, window: Window, call: Call) -> dict[str, str]:
    ahead = ", which has not begun" if window.ahead(call) else ""
    if not (team.created or team.won or team.lost or team.open or team.activities):
        return {"members": f"No deal and no activity that you can see is {window}{ahead}"}
    if not team.won + team.lost:
        return {"win_rate": f"no deal was won or lost {window}{ahead}"}
    return {}


def _told(team: Member, members: list[Member], window: Window) -> str:
    worth = "" if team.won_value is None else f" worth {team.won_value:,.2f}"
    who = counted(len(members), "member")
    return f"{who} {window}: {team.won} won{worth}, {team.lost} lost, {team.created} created; {team.open} open now"
