"""Where the pipeline stands: the open deals of a moment by stage, what they yield in a day, and which are stuck."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Instant, Invalid, counted, epoch
from sixty.crm import DEALS, STAGE_CHANGES, STAGES, WON_STAGE
from sixty_analytics.models import Definition, PipelineMetrics, StageStanding, Standing
from sixty_analytics.stalled import stalled
from sixty_analytics.sums import LOST, cents, days, is_open, total, total_money, value_sum
from sixty_analytics.velocity import closed_until, velocity
from sixty_analytics.whose import Shape, Whose
from sixty_analytics.windows import YEAR, Window, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sixty import Call, Row

__all__ = ["OPEN_STAGES", "pipeline"]

OPEN_STAGES = tuple(stage for stage in STAGES if stage != WON_STAGE)
"""A deal in the last one is won."""
_MOMENT = sa.bindparam("moment", type_=Instant)
_RULES = (
    "value is the sum of what open deals are worth; those of unknown value add nothing, and left_out counts them",
    "weighted_value is value times the probability of the stage",
    "ages run from opened_at, days in stage from when the deal entered the stage, in whole seconds, as days of 86,400",
)
_PAST = (
    "as of the end of that day: stages from the history of stays; a lost deal is open until closed_at",
    "values, owners, teams and probabilities are those of today; that a deal was lost is not seen once it is reopened",
    "stalled deals are told for now only",
)


@dataclass(frozen=True)
class _Moment:
    """Now, or the first moment after a past day."""

    day: date
    at: datetime
    past: bool

    @classmethod
    def of(cls, call: Call, as_of: date | None) -> _Moment:
        if as_of is None or as_of == call.today:
            return cls(call.today, call.now, past=False)
        if as_of > call.today:
            msg = f"as_of must not be after today, {call.today} ({call.timezone.key}); got {as_of}"
            raise Invalid(msg, field="as_of", given=str(as_of))
        return cls(as_of, Window(as_of, as_of, call.timezone).moments["end"], past=True)


async def pipeline(
    call: Call, as_of: date | None = None, owner_id: str | None = None, team_id: str | None = None
) -> PipelineMetrics:
    """The metrics now, or at the end of a past day."""
    whose = Whose(owner_id, team_id)
    whose.check(call)
    moment = _Moment.of(call, as_of)
    values = {"moment": moment.at, **whose.values}
    found = await call.rows((_then if moment.past else _now)(whose.shape), values)
    weights = await _weights(call, found, past=moment.past)
    stages = [_stage(stage, _of(found, stage), moment.at, weights) for stage in OPEN_STAGES]
    totals = Standing(**_figures([row for row in found if row["stage"] in OPEN_STAGES], moment.at, weights))
    year = Window.until(moment.day, YEAR, call.timezone)
    closed = await closed_until(call, year, whose)
    speed, missing = velocity(closed, totals.count, year)
    stuck = None if moment.past else await stalled(call, whose)
    if not totals.count:
        missing["stages"] = f"no deal that you can see{whose.told(call)} was open{_when(moment, call)}"
    if unweighted := [row["stage"] for row in found if row["valued"] and row["stage"] not in weights]:
        missing["weighted_value"] = f"no deal is in {' or '.join(unweighted)} today to show its probability"
    if stuck is not None:
        missing |= stuck.missing
    unknown = (await call.rows(_without_close(whose.shape), values))[0]["deals"] if moment.past else 0
    return PipelineMetrics(
        message=_told(totals, stuck.count if stuck is not None else None, moment, whose, call),
        as_of=moment.at,
        stages=stages,
        totals=totals,
        velocity=speed,
        stalled=stuck.deals if stuck is not None else None,
        stalled_count=stuck.count if stuck is not None else None,
        definition=Definition(
            window=year.days,
            timezone=call.timezone.key,
            date_field="opened_at, the stays in stages, and closed_at",
            counted=f"deals that are open{_when(moment, call)}; velocity: those won or lost in the window",
            left_out={"no_value": totals.count - total(found, "valued"), "lost_without_closed_at": unknown}
            | closed.left_out,
            rules=[*_RULES, *(_PAST if moment.past else stuck.rules if stuck is not None else ()), *closed.rules],
        ),
        insufficient_data=missing or None,
    )


@lru_cache
def _now(shape: Shape) -> sa.Select[Any]:
    """Per stage: open deals, what they are worth, and the sums of when they began."""
    conditions = (is_open, *Whose.conditions(shape, DEALS.c.owner_id))
    return _summed(DEALS.c, DEALS.c.stage_entered_at).where(*conditions).group_by(DEALS.c.stage)


@lru_cache
def _then(shape: Shape) -> sa.Select[Any]:
    """The same before a moment: what is open where it was then, what was lost there since, and what has moved on."""
    mine = tuple(Whose.conditions(shape, DEALS.c.owner_id))
    columns = (DEALS.c.value, DEALS.c.opened_at)
    still = (DEALS.c.stage, DEALS.c.stage_entered_at, *columns, DEALS.c.probability)
    is_open_still = sa.select(*still).where(is_open, DEALS.c.stage_entered_at < _MOMENT, *mine)
    lost_since = sa.select(*still).where(
        DEALS.c.status == LOST, DEALS.c.closed_at >= _MOMENT, DEALS.c.stage_entered_at < _MOMENT, *mine
    )
    moved = (
        sa.select(STAGE_CHANGES.c.deal_id, STAGE_CHANGES.c.to_stage, STAGE_CHANGES.c.entered_at)
        .where(
            STAGE_CHANGES.c.entered_at < _MOMENT,
            STAGE_CHANGES.c.left_at >= _MOMENT,
            STAGE_CHANGES.c.to_stage != WON_STAGE,
        )
        .offset(0)  # to be looked up first, by left_at: a planner that begins with a team's deals can be off by far
        .subquery("moved")
    )
    moved_since = (
        sa.select(
            moved.c.to_stage,
            moved.c.entered_at,
            *columns,
            sa.cast(sa.null(), sa.Float),  # that of another stage
        )
        .join_from(moved, DEALS.table, DEALS.c.id == moved.c.deal_id)
        .where(sa.or_(DEALS.c.status != LOST, DEALS.c.closed_at >= _MOMENT), *mine)
    )
    standing = sa.union_all(is_open_still, lost_since, moved_since).subquery("standing")
    return _summed(standing.c, standing.c.stage_entered_at).group_by(standing.c.stage)


def _summed(columns: Any, entered_at: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        columns.stage,
        sa.func.count().label("deals"),
        sa.func.count(columns.value).label("valued"),
        value_sum(columns.value).label("value"),
        sa.func.min(columns.probability).label("weight"),
        sa.func.sum(epoch(columns.opened_at)).label("opened"),
        sa.func.sum(epoch(entered_at)).label("entered"),
    )


@lru_cache
def _without_close(shape: Shape) -> sa.Select[Any]:
    """How many deals were lost nobody knows when."""
    return sa.select(sa.func.count().label("deals")).where(
        DEALS.c.status == LOST, DEALS.c.closed_at.is_(None), *Whose.conditions(shape, DEALS.c.owner_id)
    )


_weight = sa.select(DEALS.c.probability).where(DEALS.c.stage == sa.bindparam("stage")).limit(1)


async def _weights(call: Call, rows: Iterable[Row], *, past: bool) -> Mapping[str, Decimal]:
    """The probability of each stage in which there are deals: today's, as far as any deal shows it."""
    weights = {row["stage"]: row["weight"] for row in rows if row["weight"] is not None}
    for row in rows if past else ():
        if row["stage"] not in weights and (shown := await call.rows(_weight, {"stage": row["stage"]})):
            weights[row["stage"]] = shown[0]["probability"]
    return {stage: Decimal(repr(weight)) for stage, weight in weights.items()}


def _of(rows: Iterable[Row], stage: str) -> list[Row]:
    return [row for row in rows if row["stage"] == stage]


def _stage(stage: Any, rows: Sequence[Row], at: datetime, weights: Mapping[str, Decimal]) -> StageStanding:
    return StageStanding(stage=stage, **_figures(rows, at, weights))


def _figures(rows: Sequence[Row], at: datetime, weights: Mapping[str, Decimal]) -> dict[str, Any]:
    """The figures of some stages together; money is rounded once, at the end."""
    count, now = total(rows, "deals"), seconds(at)
    worth = total_money(rows, "value") if count else Decimal(0)
    valued = [row for row in rows if row["value"] is not None]
    known = all(row["stage"] in weights for row in valued)
    weighted = sum((row["value"] * weights[row["stage"]] for row in valued), Decimal(0)) if known else None
    return {
        "count": count,
        "value": worth,
        "weighted_value": None if worth is None else cents(weighted),
        "mean_age_days": days(count * now - total(rows, "opened"), count) if count else None,
        "mean_days_in_stage": days(count * now - total(rows, "entered"), count) if count else None,
    }


def _when(moment: _Moment, call: Call) -> str:
    return f" at the end of {moment.day} ({call.timezone.key})" if moment.past else " now"


def _told(totals: Standing, stuck: int | None, moment: _Moment, whose: Whose, call: Call) -> str:
    when = _when(moment, call)
    if not totals.count:
        return f"No deal that you can see{whose.told(call)} was open{when}"
    worth = "of unknown value" if totals.value is None else f"worth {totals.value:,.2f}"
    weighted = "" if totals.weighted_value is None else f", {totals.weighted_value:,.2f} weighted by stage"
    late = f"; {stuck} stalled" if stuck else ""
    return f"{counted(totals.count, 'open deal')}{whose.told(call)}{when}, {worth}{weighted}{late}"
