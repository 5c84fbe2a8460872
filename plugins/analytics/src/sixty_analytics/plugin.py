"""Analytics: where the pipeline stands, what converts, who performs and what is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl
from sixty_analytics.prompts import COMPLETIONS, PROMPTS
from sixty_analytics.resources import RESOURCES
from sixty_analytics.tables import TABLES
from sixty_analytics.tools import TOOLS

if TYPE_CHECKING:
    from sixty import Completion, Prompt, Resource, Tables, Tool


@hookimpl
def sixty_tables() -> Tables:
    """Targets."""
    return TABLES


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """All five."""
    return TOOLS


@hookimpl
def sixty_resources() -> tuple[Resource, ...]:
    """The pipeline, and the files of reports."""
    return RESOURCES


@hookimpl
def sixty_prompts() -> tuple[Prompt, ...]:
    """A review of the pipeline, and one of the forecast."""
    return PROMPTS


@hookimpl
def sixty_completions() -> tuple[Completion, ...]:
    """Teams, periods and reports."""
    return COMPLETIONS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """A manager sees the figures of the team."""
    return (
        Permissions(
            "analytics",
            actions={"read": "See figures about the pipeline, people and activities, and make reports of them"},
            grants={"manager": ("analytics:*:team",)},
        ),
    )
