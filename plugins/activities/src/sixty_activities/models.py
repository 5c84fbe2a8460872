"""How activities and the answers of the tools are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from sixty import Page, Record, Result, ShownId
from sixty_activities.rules import Status, Type

__all__ = [
    "ActivitiesFound",
    "Activity",
    "ActivityCreated",
    "ActivityMetrics",
    "ActivityRescheduled",
    "ActivitySaved",
    "BulkScheduled",
    "Definition",
    "Item",
    "LeftOut",
    "Metric",
    "RescheduledActivity",
    "Totals",
    "UpcomingActivity",
    "UpcomingFound",
]


class Activity(Record):
    """An activity. One that is logged has a `completed_at` and was never scheduled."""

    type: Type
    status: Status
    description: str
    deal_id: ShownId | None = None
    contact_id: ShownId | None = None
    scheduled_at: datetime | None = None
    duration_minutes: int | None = None
    completed_at: datetime | None = None
    outcome: str | None = None
    notes: str | None = None
    reschedule_reason: str | None = None


class RescheduledActivity(Activity):
    """An activity, and the time for which it was scheduled before."""

    previous_scheduled_at: datetime


class UpcomingActivity(Activity):
    """A scheduled activity, with the names of what it is about, where the caller may read them."""

    overdue: bool
    deal_title: str | None = None
    contact_name: str | None = None


class ActivityCreated(Result):
    """What `create_activity` answers."""

    activity_id: ShownId
    activity: Activity


class ActivitySaved(Result):
    """What `complete_activity` answers."""

    activity: Activity


class ActivityRescheduled(Result):
    """What `reschedule_activity` answers."""

    activity: RescheduledActivity


class ActivitiesFound(Page):
    """What `search_activities` answers."""

    activities: list[Activity]


class UpcomingFound(Page):
    """What `get_upcoming_activities` answers: until the end of the day `until`."""

    activities: list[UpcomingActivity]
    until: date
    timezone: str


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Item(_Value):
    """What became of one of many: its id, or the error."""

    success: bool
    id: ShownId | None = None
    error: dict[str, Any] | None = None


class BulkScheduled(Result):
    """What `bulk_schedule_activities` answers, in the order in which it was asked."""

    total: int
    successful: int
    failed: int
    results: list[Item]


class Metric(_Value):
    """One group: a type, a status, the id of an owner or the Monday of a week."""

    group: str
    name: str | None = None
    """The owner's."""
    count: int
    minutes: int | None = None
    """Absent where no activity says how long it took."""


class Totals(_Value):
    """All groups together."""

    count: int
    minutes: int | None = None


class LeftOut(_Value):
    """How many activities in the window are not counted, and how many of those counted add no minutes."""

    scheduled: int
    cancelled: int
    no_duration: int


class Definition(_Value):
    """What the metrics counted, and what not."""

    window: dict[str, date]
    timezone: str
    date_field: str
    counted: list[Status]
    left_out: LeftOut


class ActivityMetrics(Result):
    """What `get_activity_metrics` answers."""

    metrics: list[Metric]
    totals: Totals
    definition: Definition
    insufficient_data: str | None = None
    """Why nothing was counted."""
