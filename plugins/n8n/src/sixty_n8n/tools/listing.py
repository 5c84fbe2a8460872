"""The tool that lists the workflows there are, and how each can be started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sixty import Arguments, Call, Cursor, Result, Text, counted, tool
from sixty_n8n.api import Api
from sixty_n8n.triggers import is_active, obstacle, started_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty_n8n.settings import N8nSettings

__all__ = ["list_workflows"]


class ListWorkflows(Arguments):
    """The arguments of `list_workflows`."""

    query: Text | None = None
    active: bool | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 25
    """Fewer than elsewhere: n8n sends every node of each."""
    cursor: Cursor | None = None


class Workflow(BaseModel):
    """A workflow of n8n."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    name: str
    description: str | None = None
    active: bool
    tags: list[str]
    started_by: list[str]
    runnable: bool
    """Whether `run_workflow` can start it."""
    not_runnable: str | None = None
    """Why not, and what it takes."""


class WorkflowsFound(Result):
    """What `list_workflows` answers. n8n does not say how many there are in all."""

    workflows: list[Workflow]
    count: int
    next_cursor: str | None = None


@tool("list_workflows", permission="workflows:read", effect="read", open_world=True)
async def list_workflows(args: ListWorkflows, call: Call) -> WorkflowsFound:
    """List the workflows of n8n, what starts each, and whether run_workflow can."""
    found, cursor = await Api(call.settings).workflows(
        name=args.query,
        active=None if args.active is None else str(args.active).lower(),
        limit=args.limit,
        cursor=args.cursor,
    )
    shown = [_shown(workflow, call.settings) for workflow in found if not workflow.get("isArchived")]
    more = "; next_cursor leads to more" if cursor is not None else ""
    return WorkflowsFound(
        message=f"Found {counted(len(shown), 'workflow')}{more}", workflows=shown, count=len(shown), next_cursor=cursor
    )


def _shown(workflow: Mapping[str, Any], settings: N8nSettings) -> Workflow:
    why_not = obstacle(workflow, settings)
    return Workflow(
        workflow_id=str(workflow.get("id")),
        name=str(workflow.get("name")),
        description=str(workflow.get("description") or "")[:500] or None,
        active=is_active(workflow),
        tags=[str(tag.get("name")) for tag in workflow.get("tags") or () if isinstance(tag, dict)],
        started_by=started_by(workflow),
        runnable=why_not is None,
        not_runnable=why_not,
    )
