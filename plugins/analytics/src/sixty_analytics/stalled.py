"""Which open deals are stuck, by what is usual for deals that were won, longest for their stage first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Instant, epoch
from sixty.crm import ACTIVITIES, DEALS, STAGES, WON_STAGE
from sixty_analytics.advice import advised
from sixty_analytics.sums import is_completed, is_open
from sixty_analytics.usual import FEWEST, MOVES, WON_DEALS, next_action, usual_seconds
from sixty_analytics.whose import Shape, Whose
from sixty_analytics.windows import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty import Call, Row
    from sixty_analytics.models import Stalled

__all__ = ["MOST", "Stuck", "stalled"]

MOST = 10
"""Deals that are shown."""
LOOKED_AT = 1_000
"""Deals of each stage that are ranked, at the most: those that have been in it for longest."""
_STAGES = tuple(stage for stage in STAGES if stage != WON_STAGE)
_RULES = (
    "stalled: longer in the stage than the 90th percentile, interpolated, of the stays of deals that were won",
    f"of these the latest {WON_DEALS:,} that you can see count, whoever owns them; a stage needs {FEWEST} stays",
    "ranked by the ratio of the two, then by days since the last completed activity, anybody's, that you can see",
    f"next_action: of the latest {MOVES:,} moves forwards from the stage, those after an activity in it",
    "its type is the most frequent one of the last activities completed before these moves, and share is its share",
)
_COLUMNS = ("id", "title", "owner_id", "contact_id", "stage", "value", "expected_close_date", "stage_entered_at")


@dataclass(frozen=True)
class Stuck:
    """The worst of the stalled deals, how many there are, and what is missing to say more."""

    deals: list[Stalled]
    count: int | None
    missing: dict[str, str]
    rules: tuple[str, ...] = _RULES


async def stalled(call: Call, whose: Whose) -> Stuck:
    """The open deals that have been in their stage for longer than is usual, the worst first."""
    usual = await usual_seconds(call)
    missing = {
        f"stalled.{stage}": (
            f"fewer than {FEWEST} stays in {stage} of deals that were won are known, or all took no time"
        )
        for stage in _STAGES
        if stage not in usual
    }
    limits = {stage: _entered_before(call.now, span) for stage, span in usual.items() if stage in _STAGES}
    if not limits:
        return Stuck([], None, missing)
    count, ranked = await _ranked(call, limits, usual, whose)
    stages = dict.fromkeys(row["stage"] for row in ranked)
    actions = {stage: await next_action(call, stage) for stage in stages}
    missing |= {f"next_action.{stage}": why for stage, why in actions.items() if isinstance(why, str)}
    deals = [advised(row, usual[row["stage"]], actions[row["stage"]], call) for row in ranked]
    return Stuck(deals, count, missing)


def _entered_before(now: datetime, span: float) -> datetime:
    """Deals that entered their stage before this moment have been in it for more than `span` seconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ceil(seconds(now) - span))


async def _ranked(
    call: Call, limits: Mapping[Any, datetime], usual: Mapping[str, float], whose: Whose
) -> tuple[int, Sequence[Row]]:
    """How many there are, and the worst of them."""
    now, count = seconds(call.now), 0
    found: list[Row] = []
    for stage, limit in limits.items():
        statement = _longest(whose.shape, with_activities=ACTIVITIES in call.views)
        values = {"stage": stage, "before": limit, **whose.values}
        count += (await call.rows(_count(whose.shape), values))[0]["deals"]
        found += await call.rows(statement, values)
    for row in found:
        row["seconds"] = now - seconds(row["stage_entered_at"])
        row["ratio"] = row["seconds"] / usual[row["stage"]]
        row["idle"] = None if row["last_activity"] is None else now - seconds(row["last_activity"])
    return count, sorted(found, key=_rank)[:MOST]


def _rank(row: Row) -> tuple[float, float, str]:
    """The longest for its stage first, then what was left alone for longest, never touched before all."""
    return -row["ratio"], -(row["idle"] if row["idle"] is not None else float("inf")), row["id"]


def _late(shape: Shape) -> tuple[sa.ColumnElement[bool], ...]:
    """That a deal is open, and entered the stage before a moment."""
    return (
        is_open,
        DEALS.c.stage == sa.bindparam("stage"),
        DEALS.c.stage_entered_at < sa.bindparam("before", type_=Instant),
        *Whose.conditions(shape, DEALS.c.owner_id),
    )


@lru_cache
def _count(shape: Shape) -> sa.Select[Any]:
    return sa.select(sa.func.count().label("deals")).where(*_late(shape))


@lru_cache
def _longest(shape: Shape, *, with_activities: bool) -> sa.Select[Any]:
    """The `MOST` of a stage that have been in it for longest, and their equals, each with its last activity, if any."""
    columns = (DEALS.c[name] for name in _COLUMNS)
    late = (
        sa.select(*columns)
        .where(*_late(shape))
        .order_by(DEALS.c.stage_entered_at, DEALS.c.id)
        .limit(LOOKED_AT)
        .subquery("late")
    )
    place = sa.func.rank().over(order_by=epoch(late.c.stage_entered_at)).label("place")
    placed = sa.select(late, place).subquery("placed")
    shown = [placed.c[name] for name in _COLUMNS]
    if not with_activities:
        return sa.select(*shown, sa.cast(sa.null(), Instant).label("last_activity")).where(placed.c.place <= MOST)
    done = sa.select(ACTIVITIES.c.deal_id, ACTIVITIES.c.completed_at).where(is_completed).subquery("done")
    return (
        sa.select(*shown, sa.func.max(done.c.completed_at, type_=Instant).label("last_activity"))
        .outerjoin_from(placed, done, done.c.deal_id == placed.c.id)
        .where(placed.c.place <= MOST)
        .group_by(*shown)
    )
