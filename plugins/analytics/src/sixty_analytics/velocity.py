"""What was won and lost in a window, how fast, and what the pipeline yields in a day at that pace."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.crm import DEALS
from sixty_analytics.intervals import rate
from sixty_analytics.models import Velocity
from sixty_analytics.sums import (
    DAY,
    END,
    LOST,
    START,
    WON,
    cents,
    count_where,
    days,
    seconds_between,
    total,
    total_money,
    value_sum,
)
from sixty_analytics.whose import Shape, Whose

if TYPE_CHECKING:
    from sixty import Call
    from sixty_analytics.windows import Window

__all__ = ["Closed", "closed_until", "velocity"]

_in_order = DEALS.c.closed_at >= DEALS.c.opened_at
_RULES = (
    "velocity: open deals times mean_won_value times win_rate / mean_days_to_win, of deals closed in the window",
    "win_rate: won / (won + lost), low and high its 95 % Wilson interval",
    "mean_days_to_win: from opened_at to closed_at of won deals; left out where these are not in order",
)


@dataclass(frozen=True)
class Closed:
    """The sums over the deals closed in a window."""

    won: int
    lost: int
    valued: int
    """Won ones of known value."""
    value: Decimal | None
    timed: int
    """Won ones that were opened before they were won."""
    seconds: int
    """That these took together."""
    rules: tuple[str, ...] = _RULES

    @property
    def left_out(self) -> dict[str, int]:
        """What is in no mean, by reason."""
        return {"won_without_value": self.won - self.valued, "no_days_to_win": self.won - self.timed}


async def closed_until(call: Call, window: Window, whose: Whose) -> Closed:
    """What was closed in the window."""
    rows = await call.rows(_closed(whose.shape), {**window.moments, **whose.values})
    won = [row for row in rows if row["status"] == "won"]
    return Closed(
        won=total(won, "deals"),
        lost=total([row for row in rows if row["status"] == "lost"], "deals"),
        valued=total(won, "valued"),
        value=total_money(won, "value"),
        timed=total(won, "timed"),
        seconds=total(won, "seconds"),
    )


@lru_cache
def _closed(shape: Shape) -> sa.Select[Any]:
    """Won, and lost: how many, what they are worth, and how long they took."""
    won = DEALS.c.status == WON
    return (
        sa.select(
            DEALS.c.status,
            sa.func.count().label("deals"),
            sa.func.count(DEALS.c.value).label("valued"),
            value_sum(DEALS.c.value).label("value"),
            count_where(won, _in_order).label("timed"),
            sa.func.sum(
                sa.case((sa.and_(won, _in_order), seconds_between(DEALS.c.opened_at, DEALS.c.closed_at)))
            ).label("seconds"),
        )
        .where(
            DEALS.c.status.in_((WON, LOST)),
            DEALS.c.closed_at >= START,
            DEALS.c.closed_at < END,
            *Whose.conditions(shape, DEALS.c.owner_id),
        )
        .group_by(DEALS.c.status)
    )


def velocity(closed: Closed, open_deals: int, window: Window) -> tuple[Velocity, dict[str, str]]:
    """The velocity, and what is missing for it."""
    share = rate(closed.won, closed.won + closed.lost)
    missing = _missing(closed, window)
    per_day = None
    if closed.value is not None and closed.seconds:
        mean_value = closed.value / closed.valued
        win_rate = Decimal(closed.won) / (closed.won + closed.lost)
        per_day = open_deals * mean_value * win_rate * DAY * closed.timed / closed.seconds
    return Velocity(
        value_per_day=cents(per_day),
        open_deals=open_deals,
        won=closed.won,
        lost=closed.lost,
        mean_won_value=cents(closed.value / closed.valued) if closed.value is not None else None,
        win_rate=share.rate,
        low=share.low,
        high=share.high,
        mean_days_to_win=days(closed.seconds, closed.timed) if closed.timed else None,
    ), missing


def _missing(closed: Closed, window: Window) -> dict[str, str]:
    if not closed.won + closed.lost:
        return {"velocity": f"no deal was won or lost {window}"}
    if not closed.won:
        return {"velocity": f"no deal was won {window}; {closed.lost} lost"}
    if closed.value is None:
        return {"velocity": f"nobody knows the value of any deal won {window}"}
    if not closed.seconds:
        return {"velocity": f"no deal won {window} took any time: each was opened when it was won, or later"}
    return {}
