"""The tool that tells who performs."""

from __future__ import annotations

from sixty import Arguments, Call, Day, RecordId, tool
from sixty.crm import DEALS
from sixty_analytics.models import TeamPerformance
from sixty_analytics.performance import performance

__all__ = ["get_team_performance"]


class GetTeamPerformance(Arguments):
    """The arguments of `get_team_performance`."""

    start: Day | None = None
    end: Day | None = None
    team_id: RecordId | None = None


@tool(
    "get_team_performance",
    permission="analytics:read",
    effect="read",
    rate="strict",
    needs=(DEALS,),
    aggregates=True,
)
async def get_team_performance(args: GetTeamPerformance, call: Call) -> TeamPerformance:
    """Tell what each person has won, lost, opened and done, and what they have open now; and all of them together.

    The window is the last 90 days unless given.
    """
    return await performance(call, args.start, args.end, args.team_id)
