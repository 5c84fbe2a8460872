"""The tool that tells when activities are completed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sixty import Arguments, Call, Day, RecordId, tool
from sixty.crm import ACTIVITIES
from sixty_analytics import charts
from sixty_analytics.charts import attach
from sixty_analytics.heatmap import heatmap
from sixty_analytics.models import Heatmap

__all__ = ["get_activity_heatmap"]


class GetActivityHeatmap(Arguments):
    """The arguments of `get_activity_heatmap`."""

    start: Day | None = None
    end: Day | None = None
    owner_id: RecordId | None = None
    timezone: Annotated[str, Field(max_length=100)] | None = None


@tool(
    "get_activity_heatmap",
    permission="analytics:read",
    effect="read",
    rate="strict",
    needs=(ACTIVITIES,),
    aggregates=True,
)
async def get_activity_heatmap(args: GetActivityHeatmap, call: Call) -> Heatmap:
    """Count completed activities by weekday and hour, in the organisation's time zone unless told otherwise.

    The window is the last 90 days unless given.
    """
    found = await heatmap(call, args.start, args.end, args.owner_id, timezone=args.timezone)
    days = found.definition.window
    window = "" if days is None else f"{days['from']} to {days['to']} ({found.definition.timezone})"
    return found.model_copy(update={"image": await attach(call, charts.heatmap(found.heatmap, window))})
