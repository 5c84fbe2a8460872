"""Tasks: what is to be done, by whom and by when, and the tasks that follow from what has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl, ids_of
from sixty_tasks.forms import ADDED
from sixty_tasks.prompts import follow_up
from sixty_tasks.reactions import REACTIONS
from sixty_tasks.settings import TaskSettings
from sixty_tasks.tables import SEARCHABLE, TABLES
from sixty_tasks.tools import TOOLS
from sixty_tasks.views import PUBLISHED

if TYPE_CHECKING:
    from sixty import Completion, Extension, Prompt, Published, Reaction, Searchable, Tables, Tool
    from sixty.demo import Demo


@hookimpl
def sixty_settings() -> type[TaskSettings]:
    """Which automations run."""
    return TaskSettings


@hookimpl
def sixty_tables() -> Tables:
    """Tasks."""
    return TABLES


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """All six."""
    return TOOLS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """One sees and changes one's own tasks, a manager those of the team."""
    return (
        Permissions(
            "tasks",
            actions={
                "read": "See tasks, and which are overdue",
                "create": "Create tasks",
                "update": "Complete, assign and change tasks",
                "delete": "Delete tasks",
            },
            grants={"user": ("tasks:*:own",), "manager": ("tasks:*:team",)},
        ),
    )


@hookimpl
def sixty_views() -> tuple[Published, ...]:
    """`TASKS`."""
    return PUBLISHED


@hookimpl
def sixty_search() -> tuple[Searchable, ...]:
    """Tasks are found by title and description."""
    return (SEARCHABLE,)


@hookimpl
def sixty_prompts() -> tuple[Prompt, ...]:
    """`follow_up`."""
    return (follow_up,)


@hookimpl
def sixty_completions() -> tuple[Completion, ...]:
    """Of `task_id`, by words of titles."""
    return ids_of(SEARCHABLE)


@hookimpl
def sixty_reactions() -> tuple[Reaction, ...]:
    """A proposal is followed up; the notes of a meeting are sent."""
    return REACTIONS


@hookimpl
def sixty_extensions() -> tuple[Extension, ...]:
    """How tasks come in from files, and go out to them."""
    return ADDED


@hookimpl
def sixty_demo(demo: Demo) -> None:
    """Half a year of tasks."""
    from sixty_tasks.demo import plan  # noqa: PLC0415 - only the demo needs it

    plan(demo)
