"""What clients read by address: where the pipeline stands, and the files of reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Arguments, Call, resource
from sixty_analytics.files import FILES, NEEDS
from sixty_analytics.models import PipelineMetrics
from sixty_analytics.pipeline import pipeline

if TYPE_CHECKING:
    from sixty import Resource

__all__ = ["RESOURCES"]


class Nothing(Arguments):
    """The address has no variables."""


@resource(
    "crm://pipeline",
    name="Pipeline",
    permission="analytics:read",
    rate="strict",
    needs=NEEDS,
    aggregates=True,
)
async def pipeline_now(args: Nothing, call: Call) -> PipelineMetrics:  # noqa: ARG001 - a handler takes its arguments
    """Where the open pipeline stands by stage, its velocity, and which deals are stuck."""
    return await pipeline(call)


RESOURCES: tuple[Resource, ...] = (pipeline_now, *FILES)
