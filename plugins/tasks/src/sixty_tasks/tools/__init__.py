"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_tasks.tools.bulk import bulk_update_tasks
from sixty_tasks.tools.searching import get_overdue_tasks, search_tasks
from sixty_tasks.tools.writing import assign_task, complete_task, create_task

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    create_task,
    assign_task,
    complete_task,
    get_overdue_tasks,
    search_tasks,
    bulk_update_tasks,
)
