"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_activities.tools.creating import bulk_schedule_activities, create_activity
from sixty_activities.tools.ending import complete_activity, reschedule_activity
from sixty_activities.tools.metrics import get_activity_metrics
from sixty_activities.tools.searching import search_activities
from sixty_activities.tools.upcoming import get_upcoming_activities

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    create_activity,
    bulk_schedule_activities,
    search_activities,
    get_upcoming_activities,
    complete_activity,
    reschedule_activity,
    get_activity_metrics,
)
