"""How tasks and the answers of the tools are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator

from sixty import Page, Record, Result, ShownId
from sixty_tasks.rules import Priority, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AssignedTask",
    "BulkUpdated",
    "OverdueFound",
    "OverdueTask",
    "Task",
    "TaskAssigned",
    "TaskCompleted",
    "TaskCreated",
    "TasksFound",
    "Updated",
]


class Task(Record):
    """A task. Its owner is its assignee; `automation` names the chain that made it, where one did."""

    assignee_id: ShownId | None = None
    title: str
    description: str | None = None
    status: Status
    priority: Priority
    due_date: date | None = None
    deal_id: ShownId | None = None
    contact_id: ShownId | None = None
    related_activity_id: ShownId | None = None
    outcome: str | None = None
    completed_at: datetime | None = None
    automation: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _assigned(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, "assignee_id": row["owner_id"]}


class AssignedTask(Task):
    """A task, and whose it was before."""

    previous_assignee_id: ShownId | None = None


class OverdueTask(Task):
    """A task, and for how many days it has been overdue."""

    days_overdue: int


class TaskCreated(Result):
    """What `create_task` answers."""

    task_id: ShownId
    task: Task
    automation: str | None = None
    """What was decided in place of the caller."""


class TaskAssigned(Result):
    """What `assign_task` answers."""

    task: AssignedTask


class TaskCompleted(Result):
    """What `complete_task` answers."""

    task: Task
    follow_up_task_id: ShownId | None = None


class TasksFound(Page):
    """What `search_tasks` answers."""

    tasks: list[Task]


class OverdueFound(Page):
    """What `get_overdue_tasks` answers."""

    tasks: list[OverdueTask]


class Updated(BaseModel):
    """What became of one task of many."""

    model_config = ConfigDict(frozen=True)

    success: bool
    id: str
    """As it was given."""
    error: dict[str, Any] | None = None


class BulkUpdated(Result):
    """What `bulk_update_tasks` answers; the results are in the order of the ids."""

    total: int
    successful: int
    failed: int
    results: list[Updated]
