"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_analytics.tools.conversion import calculate_conversion_rates
from sixty_analytics.tools.heatmap import get_activity_heatmap
from sixty_analytics.tools.performance import get_team_performance
from sixty_analytics.tools.pipeline import get_pipeline_metrics
from sixty_analytics.tools.reports import generate_reports

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    get_pipeline_metrics,
    calculate_conversion_rates,
    get_team_performance,
    generate_reports,
    get_activity_heatmap,
)
