"""The tool that tells what converts."""

from __future__ import annotations

from sixty import Arguments, Call, Day, RecordId, tool
from sixty.crm import DEALS
from sixty_analytics.conversion import Cohort, conversion
from sixty_analytics.models import ConversionRates

__all__ = ["calculate_conversion_rates"]


class CalculateConversionRates(Arguments):
    """The arguments of `calculate_conversion_rates`."""

    start: Day | None = None
    end: Day | None = None
    owner_id: RecordId | None = None
    cohort: Cohort = "created"


@tool(
    "calculate_conversion_rates",
    permission="analytics:read",
    effect="read",
    rate="strict",
    needs=(DEALS,),
    aggregates=True,
)
async def calculate_conversion_rates(args: CalculateConversionRates, call: Call) -> ConversionRates:
    """Tell how many deals went on from each stage, and how many were won, with 95 % intervals.

    Of the deals created in the window (the last 365 days unless given), or of those closed in it.
    """
    return await conversion(call, args.start, args.end, args.owner_id, cohort=args.cohort)
