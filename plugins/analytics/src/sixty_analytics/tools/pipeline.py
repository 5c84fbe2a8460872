"""The tool that tells where the pipeline stands."""

from __future__ import annotations

from sixty import Arguments, Call, Day, RecordId, tool
from sixty.crm import DEALS, STAGE_CHANGES
from sixty_analytics.models import PipelineMetrics
from sixty_analytics.pipeline import pipeline

__all__ = ["get_pipeline_metrics"]


class GetPipelineMetrics(Arguments):
    """The arguments of `get_pipeline_metrics`."""

    as_of: Day | None = None
    owner_id: RecordId | None = None
    team_id: RecordId | None = None


@tool(
    "get_pipeline_metrics",
    permission="analytics:read",
    effect="read",
    rate="strict",
    needs=(DEALS, STAGE_CHANGES),
    aggregates=True,
)
async def get_pipeline_metrics(args: GetPipelineMetrics, call: Call) -> PipelineMetrics:
    """Tell where the open pipeline stands by stage, its velocity, and which deals are stuck, with what to do next.

    Now, or as it was at the end of the day as_of. Stuck is what outlasts nine in ten of the deals that were won.
    """
    return await pipeline(call, args.as_of, args.owner_id, args.team_id)
