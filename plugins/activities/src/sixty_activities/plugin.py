"""Activities: calls, meetings, mails and proposals, done and planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl, ids_of
from sixty_activities.forms import ADDED
from sixty_activities.prompts import PROMPTS
from sixty_activities.reactions import REACTIONS
from sixty_activities.settings import ActivitySettings
from sixty_activities.tables import SEARCHABLE, TABLES
from sixty_activities.tools import TOOLS
from sixty_activities.views import PUBLISHED

if TYPE_CHECKING:
    from sixty import Completion, Extension, Prompt, Published, Reaction, Searchable, Tables, Tool
    from sixty.demo import Demo


@hookimpl
def sixty_settings() -> type[ActivitySettings]:
    """Whether proposals are logged."""
    return ActivitySettings


@hookimpl
def sixty_tables() -> Tables:
    """Activities."""
    return TABLES


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """All seven."""
    return TOOLS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """Each sees and changes their own activities, a manager those of the team."""
    return (
        Permissions(
            "activities",
            actions={
                "read": "See activities and count them",
                "create": "Log and schedule activities",
                "update": "Complete, cancel and reschedule activities",
                "delete": "Delete activities",
            },
            grants={"user": ("activities:*:own",), "manager": ("activities:*:team",)},
        ),
    )


@hookimpl
def sixty_reactions() -> tuple[Reaction, ...]:
    """A proposal is logged with the deal that gets it."""
    return REACTIONS


@hookimpl
def sixty_views() -> tuple[Published, ...]:
    """`ACTIVITIES`."""
    return PUBLISHED


@hookimpl
def sixty_search() -> tuple[Searchable, ...]:
    """Activities are found by description, outcome and notes."""
    return (SEARCHABLE,)


@hookimpl
def sixty_prompts() -> tuple[Prompt, ...]:
    """Getting ready for a meeting."""
    return PROMPTS


@hookimpl
def sixty_completions() -> tuple[Completion, ...]:
    """The ids of activities."""
    return ids_of(SEARCHABLE)


@hookimpl
def sixty_extensions() -> tuple[Extension, ...]:
    """How activities come in from files, and go out to them."""
    return ADDED


@hookimpl
def sixty_demo(demo: Demo) -> None:
    """Six months of activities."""
    from sixty_activities.demo import plan  # noqa: PLC0415 - only the demo needs it

    plan(demo)
