"""How long deals stay in each stage, and what came in and went out in a window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.crm import DEALS, STAGE_CHANGES, STAGES
from sixty_analytics.sums import DAY, END, LOST, START, WON, days, seconds_between, value_sum

if TYPE_CHECKING:
    from decimal import Decimal

    from sixty import Call
    from sixty_analytics.windows import Window

__all__ = ["Cycle", "Movement", "cycles", "movements"]


@dataclass(frozen=True, slots=True)
class Cycle:
    """The stays in a stage that ended in a window; the days are None where there were none."""

    stage: str
    stays: int
    mean_days: float | None = None
    shortest_days: float | None = None
    longest_days: float | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened to deals in a window: `created`, `won` or `lost`."""

    what: str
    deals: int
    value: Decimal | None
    """Of those of known value."""
    unvalued: int


async def cycles(call: Call, window: Window) -> list[Cycle]:
    """How long each stage took the deals that left it in a window."""
    rows = {row["stage"]: row for row in await call.rows(_stays(), window.moments)}
    return [
        Cycle(
            stage,
            row["stays"],
            days(row["seconds"], row["stays"]),
            round(row["shortest"] / DAY, 2),
            round(row["longest"] / DAY, 2),
        )
        if (row := rows.get(stage)) is not None
        else Cycle(stage, 0)
        for stage in STAGES[:-1]
    ]


async def movements(call: Call, window: Window) -> list[Movement]:
    """The deals that were created, won and lost in a window."""
    found = []
    for what, statement in (("created", _created()), ("won", _closed(won=True)), ("lost", _closed(won=False))):
        (row,) = await call.rows(statement, window.moments)
        found.append(Movement(what, row["deals"], row["value"], row["deals"] - row["valued"]))
    return found


@lru_cache
def _stays() -> sa.Select[Any]:
    seconds = seconds_between(STAGE_CHANGES.c.entered_at, STAGE_CHANGES.c.left_at)
    return (
        sa.select(
            STAGE_CHANGES.c.to_stage.label("stage"),
            sa.func.count().label("stays"),
            sa.func.sum(seconds, type_=sa.BigInteger).label("seconds"),
            sa.func.min(seconds).label("shortest"),
            sa.func.max(seconds).label("longest"),
        )
        .where(STAGE_CHANGES.c.left_at >= START, STAGE_CHANGES.c.left_at < END)
        .group_by(STAGE_CHANGES.c.to_stage)
    )


_SUMS = (
    sa.func.count().label("deals"),
    sa.func.count(DEALS.c.value).label("valued"),
    value_sum(DEALS.c.value).label("value"),
)


@lru_cache
def _created() -> sa.Select[Any]:
    return sa.select(*_SUMS).where(DEALS.c.opened_at >= START, DEALS.c.opened_at < END)


@lru_cache
def _closed(*, won: bool) -> sa.Select[Any]:
    closed = (DEALS.c.closed_at >= START, DEALS.c.closed_at < END)
    return sa.select(*_SUMS).where(DEALS.c.status == (WON if won else LOST), *closed)
