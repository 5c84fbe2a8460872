"""What is usual: how long deals that were won stayed in each stage, and what came last before deals went on from it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.crm import ACTIVITIES, DEALS, STAGE_CHANGES, STAGES
from sixty_analytics.intervals import PLACES
from sixty_analytics.models import NextAction
from sixty_analytics.sums import WON, is_completed, seconds_between

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty import Call

__all__ = ["FEWEST", "MOVES", "NINE_TENTHS", "WON_DEALS", "next_action", "usual_seconds"]

WON_DEALS = 10_000
"""Won deals that say what is usual, at the most: the latest."""
FEWEST = 5
"""Stays that it takes to say what is usual in a stage."""
NINE_TENTHS = 9
"""The percentile, in tenths."""
MOVES = 2_000
"""Moves from a stage that say what came before them, at the most: the latest."""
_TENTHS = 10


async def usual_seconds(call: Call) -> Mapping[str, float]:
    """By stage: the 90th percentile of the seconds that the latest deals that were won stayed in it.

    Between two values it is interpolated, as `percentile_cont` of SQL does. A stage of which fewer than `FEWEST`
    stays are known has none, nor has one through which such deals pass at once. What is usual is a matter of all
    deals that the caller may read, whoever owns them.
    """
    usual: dict[str, float] = {}
    for row in await call.rows(_percentile(call.host.database.dialect_name)):
        low, high, stays = int(row["low"]), int(row["high"]), int(row["stays"])
        between = NINE_TENTHS * (stays - 1) % _TENTHS
        if stays >= FEWEST and (span := low + (high - low) * between / _TENTHS) > 0:
            usual[row["stage"]] = span
    return usual


@lru_cache
def _percentile(dialect: str) -> sa.Select[Any]:
    """By stage: how many stays there are, and the two, or twice the one, between which the percentile lies."""
    won = (
        sa.select(DEALS.c.id)
        .where(DEALS.c.status == WON, DEALS.c.closed_at.is_not(None))
        .order_by(DEALS.c.closed_at.desc(), DEALS.c.id.desc())
        .limit(WON_DEALS)
        .subquery("won")
    )
    stays = (
        sa.select(
            STAGE_CHANGES.c.to_stage.label("stage"),
            seconds_between(STAGE_CHANGES.c.entered_at, STAGE_CHANGES.c.left_at).label("seconds"),
        )
        .join_from(won, STAGE_CHANGES.table, STAGE_CHANGES.c.deal_id == won.c.id)
        .where(STAGE_CHANGES.c.left_at.is_not(None))
        .subquery("stays")
    )
    return _by_arrays(stays) if dialect == "postgresql" else _by_windows(stays)


def _by_windows(stays: sa.Subquery) -> sa.Select[Any]:
    ordered = sa.select(
        stays.c.stage,
        stays.c.seconds,
        sa.func.row_number().over(partition_by=stays.c.stage, order_by=stays.c.seconds).label("place"),
        sa.func.count().over(partition_by=stays.c.stage).label("stays"),
    ).subquery("ordered")
    beyond = _TENTHS * (ordered.c.place - 1) - NINE_TENTHS * (ordered.c.stays - 1)
    low, high = sa.func.min(ordered.c.seconds).label("low"), sa.func.max(ordered.c.seconds).label("high")
    near = sa.select(ordered.c.stage, ordered.c.stays, low, high).where(beyond > -_TENTHS, beyond < _TENTHS)
    return near.group_by(ordered.c.stage, ordered.c.stays)


def _by_arrays(stays: sa.Subquery) -> sa.Select[Any]:
    """The same at less than half the cost: Postgres sorts within a group by one key, and counts nothing row by row."""
    array = sa.func.array_agg(stays.c.seconds).aggregate_order_by(stays.c.seconds).label("seconds")
    count = sa.func.count().label("stays")
    sorted_ = sa.select(stays.c.stage, count, array).group_by(stays.c.stage).subquery("sorted")
    tenths = NINE_TENTHS * (sorted_.c.stays - 1)
    low, high = sorted_.c.seconds[tenths // _TENTHS + 1], sorted_.c.seconds[(tenths + NINE_TENTHS) // _TENTHS + 1]
    return sa.select(sorted_.c.stage, sorted_.c.stays, low.label("low"), high.label("high"))


async def next_action(call: Call, stage: str) -> NextAction | str:
    """The type of activity that came last, in the stage, before most of the deals that went on from it.

    The latest moves count. A sentence instead where there is no such move, or no activity before any.
    """
    if ACTIVITIES not in call.views:
        return "nobody keeps activities here"
    rows = await call.rows(_last_before(STAGES.index(stage)), {"stage": stage})
    counts = {row["type"]: int(row["moves"]) for row in rows}
    told = counts.pop(None, 0)
    of = sum(counts.values())
    if not of + told:
        return f"no deal that you can see ever went on from {stage}"
    if not of:
        return f"no activity that you can see came before any deal went on from {stage}"
    best = min(counts, key=lambda type_: (-counts[type_], type_))
    return NextAction(type=best, share=round(counts[best] / of, PLACES), deals=counts[best], of=of)


@lru_cache
def _last_before(place: int) -> sa.Select[Any]:
    """How many of the latest moves from a stage forwards had which type of activity last before them, if any."""
    moves = (
        sa.select(STAGE_CHANGES.c.deal_id, STAGE_CHANGES.c.entered_at.label("moved_at"))
        .where(
            STAGE_CHANGES.c.from_stage == sa.bindparam("stage"),
            STAGE_CHANGES.c.to_stage.in_(STAGES[place + 1 :]),
        )
        .order_by(STAGE_CHANGES.c.entered_at.desc(), STAGE_CHANGES.c.deal_id.desc())
        .limit(MOVES)
        .subquery("moves")
    )
    stays = (
        sa.select(STAGE_CHANGES.c.deal_id, STAGE_CHANGES.c.entered_at, STAGE_CHANGES.c.left_at)
        .where(STAGE_CHANGES.c.to_stage == sa.bindparam("stage"))
        .subquery("stays")
    )
    done = (
        sa.select(ACTIVITIES.c.id, ACTIVITIES.c.deal_id, ACTIVITIES.c.type, ACTIVITIES.c.completed_at)
        .where(is_completed)
        .subquery("done")
    )
    within = sa.and_(
        done.c.deal_id == stays.c.deal_id,
        done.c.completed_at >= stays.c.entered_at,
        done.c.completed_at < stays.c.left_at,  # what a move itself logs came with it, and not before
    )
    latest = sa.func.row_number().over(
        partition_by=(moves.c.deal_id, moves.c.moved_at),
        order_by=(done.c.completed_at.desc().nulls_last(), done.c.id.desc()),
    )
    ranked = (
        sa.select(done.c.type, latest.label("place"))
        .select_from(moves)
        .join(stays, sa.and_(stays.c.deal_id == moves.c.deal_id, stays.c.left_at == moves.c.moved_at))
        .outerjoin(done, within)
        .subquery("ranked")
    )
    return sa.select(ranked.c.type, sa.func.count().label("moves")).where(ranked.c.place == 1).group_by(ranked.c.type)
