"""Deals: a pipeline with its history, a forecast, and search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Extension, Permissions, hookimpl, ids_of
from sixty.exchange import FORMS
from sixty_deals.forms import FORM
from sixty_deals.metrics import METRICS
from sixty_deals.prompts import complete_stage, renewals
from sixty_deals.resources import DEAL_ADDRESS, deal_page
from sixty_deals.settings import DealSettings
from sixty_deals.tables import SEARCHABLE, TABLES
from sixty_deals.tools import TOOLS
from sixty_deals.views import published

if TYPE_CHECKING:
    from sixty import Completion, Metric, Prompt, Published, Resource, Searchable, Tables, Tool
    from sixty.demo import Demo


@hookimpl
def sixty_settings() -> type[DealSettings]:
    """The probability of each stage."""
    return DealSettings


@hookimpl
def sixty_tables() -> Tables:
    """Deals and their stays in stages."""
    return TABLES


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """All eight."""
    return TOOLS


@hookimpl
def sixty_resources() -> tuple[Resource, ...]:
    """Each deal."""
    return (deal_page,)


@hookimpl
def sixty_prompts() -> tuple[Prompt, ...]:
    """The contracts that end soon."""
    return (renewals,)


@hookimpl
def sixty_completions() -> tuple[Completion, ...]:
    """Stages, and the ids of deals."""
    return (complete_stage, *ids_of(SEARCHABLE, DEAL_ADDRESS))


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """Everybody sees the pipeline; one changes one's own deals, a manager those of the team."""
    return (
        Permissions(
            "deals",
            actions={
                "read": "See deals, their history and the forecast",
                "create": "Create deals",
                "update": "Change deals and move them through the pipeline",
                "delete": "Delete deals",
                "split_revenue": "Split the revenue of deals into monthly and one-off",
            },
            grants={
                "user": ("deals:read", "deals:create", "deals:update:own"),
                "manager": ("deals:update:team", "deals:delete:team"),
            },
        ),
    )


@hookimpl
def sixty_views(settings: DealSettings) -> tuple[Published, ...]:
    """`DEALS` and `STAGE_CHANGES`."""
    return published(settings.weights)


@hookimpl
def sixty_search() -> tuple[Searchable, ...]:
    """Deals are found by title, company and notes."""
    return (SEARCHABLE,)


@hookimpl
def sixty_metrics() -> tuple[Metric, ...]:
    """What comes in, and what is open by stage."""
    return METRICS


@hookimpl
def sixty_extensions() -> tuple[Extension, ...]:
    """How deals come in from files, and go out to them."""
    return (Extension(FORMS, FORM),)


@hookimpl
def sixty_demo(demo: Demo) -> None:
    """A year of deals."""
    from sixty_deals.demo import plan  # noqa: PLC0415 - only the demo needs it

    plan(demo)
