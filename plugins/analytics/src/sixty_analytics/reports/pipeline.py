"""Where the pipeline stands, what came in and went out, and what is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_analytics.charts import Chart, Series
from sixty_analytics.cycles import Movement, movements
from sixty_analytics.pipeline import pipeline
from sixty_analytics.report import Column, Report, Table, cells
from sixty_analytics.reports.telling import as_numbers, definition, notes, window_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sixty import Call
    from sixty_analytics.models import PipelineMetrics, StageStanding, Standing
    from sixty_analytics.report import Cell

__all__ = ["made"]

_DAYS = 90
"""Days of the window, unless told otherwise."""
_STAGES = (
    Column("stage", "Stage"),
    Column("count", "Deals", "count"),
    Column("value", "Value", "money"),
    Column("weighted_value", "Weighted value", "money"),
    Column("mean_age_days", "Mean age in days", "days"),
    Column("mean_days_in_stage", "Mean days in the stage", "days"),
)
_VELOCITY = (
    Column("value_per_day", "Value per day", "money"),
    Column("open_deals", "Open deals", "count"),
    Column("won", "Won", "count"),
    Column("lost", "Lost", "count"),
    Column("mean_won_value", "Mean won value", "money"),
    Column("win_rate", "Win rate", "share"),
    Column("low", "From", "share"),
    Column("high", "To", "share"),
    Column("mean_days_to_win", "Mean days to win", "days"),
)
_MOVEMENT = (
    Column("what", "What happened"),
    Column("deals", "Deals", "count"),
    Column("value", "Value", "money"),
    Column("unvalued", "Without a value", "count"),
)
_STALLED = (
    Column("title", "Deal"),
    Column("owner", "Owner"),
    Column("stage", "Stage"),
    Column("value", "Value", "money"),
    Column("days_in_stage", "Days in the stage", "days"),
    Column("usual_days", "Usual days", "days"),
    Column("days_since_activity", "Days since an activity", "days"),
    Column("reasons", "Why"),
    Column("next_action", "What usually moved such deals on"),
    Column("deal_id", "Id"),
)


async def made(call: Call, start: date | None, end: date | None) -> Report:
    """The pipeline at the end of the window, or now if that is not over; without one, of the last 90 days."""
    window = window_of(call, start, end, _DAYS)
    found = await pipeline(call, window.last if window.last < call.today else None)
    moved = await movements(call, window)
    tables = [
        Table(
            "stages",
            "Stages",
            _STAGES,
            (*(_standing(stage.stage, stage) for stage in found.stages), _standing("all", found.totals)),
            definition(found.definition),
            notes(found.definition.left_out, _missing(found, "stages", "weighted_value")),
        ),
        velocity_table(found),
        _movement(moved, f"{window}"),
    ]
    if found.stalled is not None:
        tables.append(_stalled(found))
    return Report(
        name="pipeline",
        title="Pipeline",
        summary=f"{found.message}.",
        first=window.first,
        last=window.last,
        timezone=window.zone.key,
        tables=tuple(tables),
        charts=(_chart(found.stages),),
    )


def velocity_table(found: PipelineMetrics) -> Table:
    """What the pipeline yields in a day, with what that is computed of."""
    days = found.definition.window or {}
    told = (
        "Value per day: open deals times mean won value times win rate, over the mean days to win; of the deals that "
        f"were won or lost from {days.get('from')} to {days.get('to')}, by closed_at."
    )
    row, lacking = cells(found.velocity, _VELOCITY), notes({}, _missing(found, "velocity"))
    return Table("velocity", "Value per day", _VELOCITY, (row,), told, lacking)


def _missing(found: PipelineMetrics, *names: str) -> dict[str, str]:
    """What is missing for these figures, and for the parts of them."""
    missing = found.insufficient_data or {}
    return {name: why for name, why in missing.items() if name.partition(".")[0] in names}


def _standing(name: str, found: Standing) -> tuple[Cell, ...]:
    return (name, *cells(found, _STAGES[1:]))


def _movement(moved: Sequence[Movement], window: str) -> Table:
    rows = tuple(cells(each, _MOVEMENT) for each in moved)
    told = f"Deals that were created (by opened_at), won and lost (by closed_at) {window}, at their values of today."
    return Table("movement", "Movement", _MOVEMENT, rows, told)


def _stalled(found: PipelineMetrics) -> Table:
    shown = found.stalled or []
    rows = tuple(
        (
            deal.title,
            deal.owner,
            deal.stage,
            deal.value,
            deal.days_in_stage,
            deal.usual_days,
            deal.days_since_activity,
            "; ".join(deal.reasons),
            None if (action := deal.next_action) is None else f"{action.type} ({action.deals} of {action.of})",
            deal.deal_id,
        )
        for deal in shown
    )
    told = (
        "Open deals that are in their stage for longer than nine in ten of the deals that were won, the worst first; "
        "usual days are the 90th percentile of those."
    )
    more = (found.stalled_count or 0) - len(shown)
    rest = (f"{more} more are not shown.",) if more > 0 else ()
    lacking = notes({}, _missing(found, "stalled", "next_action"))
    return Table("stalled", "Stalled deals", _STALLED, rows, told, (*rest, *lacking))


def _chart(stages: Sequence[StageStanding]) -> Chart:
    return Chart(
        name="pipeline",
        title="The open pipeline by stage",
        shape="columns",
        labels=tuple(f"{stage.stage} ({stage.count})" for stage in stages),
        series=(
            Series("value", as_numbers(stage.value if stage.count else 0 for stage in stages)),
            Series("weighted", as_numbers(stage.weighted_value if stage.count else 0 for stage in stages)),
        ),
        sort="money",
        across="Stage (open deals)",
        along="Value in the organisation's currency",
        empty="No deal is open that has a value.",
    )
