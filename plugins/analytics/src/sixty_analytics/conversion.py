"""What converts: of the deals of a cohort, how many went on from each stage, and how many were won."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sixty import counted
from sixty.crm import DEALS, STAGES
from sixty_analytics.intervals import rate
from sixty_analytics.models import Advance, ConversionRates, Definition, Overall
from sixty_analytics.sums import END, LOST, START, WON, count_where, days, seconds_between, sum_where, total
from sixty_analytics.whose import Shape, Whose
from sixty_analytics.windows import YEAR, Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sixty import Call, Row

__all__ = ["Cohort", "conversion"]

Cohort = Literal["created", "closed"]
_FIELDS: dict[Cohort, str] = {"created": "opened_at", "closed": "closed_at"}
_COUNTED: dict[Cohort, str] = {
    "created": "deals that were opened in the window, whatever has become of them until now",
    "closed": "deals that were won or lost in the window",
}
_RULES = (
    "entered: ever in the stage; converted: in a later stage after that, skipped stages or not, also if it came back",
    "rate: converted / entered; win_rate: won / (won + lost); won_share: won / deals",
    "low and high: 95 % Wilson score intervals",
    "mean_days_to_win: from opened_at to closed_at of won deals; left out where these are not in order",
)


async def conversion(
    call: Call,
    start: date | None = None,
    end: date | None = None,
    owner_id: str | None = None,
    *,
    cohort: Cohort = "created",
    team_id: str | None = None,
) -> ConversionRates:
    """The rates of the deals that were created, or closed, in a window: the last 365 days unless given."""
    whose = Whose(owner_id, team_id)
    whose.check(call)
    window = Window.of(call, start, end, days=YEAR)
    rows = await call.rows(_paths(cohort, whose.shape), {**window.moments, **whose.values})
    undated = (await call.rows(_undated(whose.shape), whose.values))[0]["deals"] if cohort == "closed" else 0
    overall = _overall(rows)
    stages = [_advance(*pair, rows) for pair in pairwise(STAGES)]
    missing = _missing(overall, stages, cohort, window, call)
    left_out = {"no_days_to_win": overall.won - total(rows, "timed")}
    if cohort == "closed":
        left_out["no_closed_at"] = undated
    return ConversionRates(
        message=missing.get("deals") or _told(overall, cohort, window, whose.told(call)),
        stages=stages,
        overall=overall,
        definition=Definition(
            window=window.days,
            timezone=window.zone.key,
            date_field=_FIELDS[cohort],
            counted=_COUNTED[cohort],
            left_out=left_out,
            rules=[*_RULES, *([_still_open(overall.open)] if overall.open else [])],
        ),
        insufficient_data=missing or None,
    )


@lru_cache
def _paths(cohort: Cohort, shape: Shape) -> sa.Select[Any]:
    """By path and status, of which there are few: how many deals, and how long won ones took."""
    when = DEALS.c[_FIELDS[cohort]]
    conditions = [when >= START, when < END, *Whose.conditions(shape, DEALS.c.owner_id)]
    if cohort == "closed":
        conditions.append(DEALS.c.status.in_((WON, LOST)))
    timed = (DEALS.c.status == WON, DEALS.c.closed_at >= DEALS.c.opened_at)
    return (
        sa.select(
            DEALS.c.path,
            DEALS.c.status,
            sa.func.count().label("deals"),
            count_where(*timed).label("timed"),
            sum_where(seconds_between(DEALS.c.opened_at, DEALS.c.closed_at), *timed).label("seconds"),
        )
        .where(*conditions)
        .group_by(DEALS.c.path, DEALS.c.status)
    )


@lru_cache
def _undated(shape: Shape) -> sa.Select[Any]:
    """How many deals were won or lost nobody knows when."""
    return sa.select(sa.func.count().label("deals")).where(
        DEALS.c.status.in_((WON, LOST)), DEALS.c.closed_at.is_(None), *Whose.conditions(shape, DEALS.c.owner_id)
    )


def _advance(here: Any, to: Any, rows: Sequence[Row]) -> Advance:
    entered = converted = 0
    for row in rows:
        stages = row["path"].split()
        if here in stages:
            entered += row["deals"]
            converted += row["deals"] if _went_on(stages, here) else 0
    share = rate(converted, entered)
    return Advance(
        from_stage=here,
        to_stage=to,
        entered=entered,
        converted=converted,
        rate=share.rate,
        low=share.low,
        high=share.high,
    )


def _went_on(stages: Sequence[str], here: str) -> bool:
    """Whether a later stage of the pipeline comes after the first time in `here`."""
    later = STAGES[STAGES.index(here) + 1 :]
    return any(stage in later for stage in stages[stages.index(here) + 1 :])


def _overall(rows: Sequence[Row]) -> Overall:
    count = {status: total([row for row in rows if row["status"] == status], "deals") for status in ("won", "lost")}
    deals, timed = total(rows, "deals"), total(rows, "timed")
    of_closed, of_all = rate(count["won"], count["won"] + count["lost"]), rate(count["won"], deals)
    return Overall(
        deals=deals,
        won=count["won"],
        lost=count["lost"],
        open=deals - count["won"] - count["lost"],
        win_rate=of_closed.rate,
        low=of_closed.low,
        high=of_closed.high,
        won_share=of_all.rate,
        won_share_low=of_all.low,
        won_share_high=of_all.high,
        mean_days_to_win=days(total(rows, "seconds"), timed) if timed else None,
    )


def _missing(overall: Overall, stages: Sequence[Advance], cohort: Cohort, window: Window, call: Call) -> dict[str, str]:
    if not overall.deals:
        ahead = ", which has not begun" if window.ahead(call) else ""
        return {"deals": f"No deal that you can see was {cohort} {window}{ahead}"}
    missing = {}
    if not overall.won + overall.lost:
        missing["win_rate"] = f"none of {counted(overall.deals, 'deal')} is won or lost yet"
    if not overall.won:
        missing["mean_days_to_win"] = "none of the deals was won"
    for advance in stages:
        if not advance.entered:
            missing[f"stages.{advance.from_stage}"] = f"none of the deals was ever in {advance.from_stage}"
    return missing


def _still_open(count: int) -> str:
    are, have = ("deal is", "has") if count == 1 else ("deals are", "have")
    return f"{count} {are} still open and may yet go on: so far they {have} converted only where they went on already"


def _told(overall: Overall, cohort: Cohort, window: Window, whose: str) -> str:
    of = f"{counted(overall.deals, 'deal')}{whose} {cohort} {window}"
    outcome = f"{overall.won} won, {overall.lost} lost, {overall.open} open"
    won = "" if overall.win_rate is None else f"; win rate {overall.win_rate:.1%}"
    return f"{of}: {outcome}{won}"
