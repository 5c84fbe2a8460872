"""The tool that starts a workflow, waits a while for what comes of it, and follows it later."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sixty import Arguments, Call, Invalid, NotFound, Result, Unavailable, counted, tool
from sixty_n8n.answers import OK
from sixty_n8n.api import Api
from sixty_n8n.executions import FAILED, GOING_ON, failure, output, status_of
from sixty_n8n.starting import start
from sixty_n8n.triggers import webhook_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty_n8n.answers import Answer

__all__ = ["run_workflow"]

_LONGEST = 45
"""Seconds to wait: many clients give up on a call after a minute."""
_FIRST_PAUSE, _LAST_PAUSE = 0.2, 2.0
"""Seconds between two looks at a run; they grow."""
_LARGEST = 50_000
"""Characters of a result as JSON; an agent reads all of them."""
_DEEPEST = 100
"""Levels of a result."""
NumberAtN8n = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class RunWorkflow(Arguments):
    """The arguments of `run_workflow`."""

    workflow_id: NumberAtN8n | None = None
    data: dict[str, Any] | None = None
    wait_seconds: Annotated[int, Field(ge=0, le=_LONGEST)] = 15
    execution_id: NumberAtN8n | None = Field(None, description="Instead of workflow_id: a run to follow")


class WorkflowRun(Result):
    """What `run_workflow` answers. `status` is n8n's; `started` where n8n shows no record of the run."""

    workflow_id: str
    execution_id: str | None = None
    status: str
    result: Any = None
    """What the workflow answered, or else what its last node made."""
    result_is_cut: bool | None = None
    """True where there was more than an agent could read."""
    waits_until: str | None = None


@tool(
    "run_workflow",
    permission="workflows:run",
    effect="destroy",  # it may do anything, and nothing takes it back
    rate="strict",
    open_world=True,
)
async def run_workflow(args: RunWorkflow, call: Call) -> WorkflowRun:
    """Start a workflow of n8n with data and wait for its result, or follow an earlier run by its execution_id."""
    if (args.workflow_id is None) == (args.execution_id is None):
        msg = "give workflow_id to start a workflow (list_workflows has them), or execution_id to follow a run"
        raise Invalid(msg, field="workflow_id")
    api, until = Api(call.settings), monotonic() + args.wait_seconds
    if args.workflow_id is None:
        if args.data is not None:
            raise Invalid("data is for starting a workflow: leave it out to follow a run", field="data")
        return await _followed(api, str(args.execution_id), until)
    workflow = await api.workflow(args.workflow_id)
    if workflow is None:
        msg = f"n8n shows no workflow {args.workflow_id!r} to this server; list_workflows shows which there are"
        raise NotFound(msg)
    name, webhook = str(workflow.get("name")), webhook_of(workflow, call.settings)
    started = await start(api, webhook, args.data or {}, mark=call.id, wait=args.wait_seconds)
    answered = _answered(started.answer) if webhook.waits else None
    execution = None
    if started.execution_id is not None:
        with suppress(Unavailable):  # that it was started, and as what, must not be lost
            execution = await _settled(api, started.execution_id, until)
    if execution is None:
        return _unseen(args.workflow_id, name, started.execution_id, answered)
    return _told(name, execution, answered)


async def _followed(api: Api, execution_id: str, until: float) -> WorkflowRun:
    execution = await _settled(api, execution_id, until)
    if execution is None:
        msg = f"n8n shows no execution {execution_id!r} to this server: it is not kept, or not for its key"
        raise NotFound(msg)
    name = execution.get("workflowData", {}).get("name") or execution.get("workflowId")
    return _told(str(name), execution, None)


async def _settled(api: Api, execution_id: str, until: float) -> dict[str, Any] | None:
    """The run once it has ended or waits for something else, or as it stands then; None if it is not kept."""
    pause = _FIRST_PAUSE
    while (execution := await api.execution(execution_id, data=False)) is not None:
        status, left = status_of(execution), until - monotonic()
        if status not in GOING_ON:
            return await api.execution(execution_id, data=True)
        if status == "waiting" or left <= 0:
            break
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _LAST_PAUSE)
    return execution


def _told(name: str, execution: Mapping[str, Any], answered: Any) -> WorkflowRun:
    """What a run has come to. `WorkflowFailed` if it has failed."""
    status, execution_id = status_of(execution), str(execution.get("id"))
    if status in FAILED:
        raise failure(name, execution)
    result, is_cut = _cut(answered if answered is not None else output(execution))
    if status in GOING_ON:
        doing = f"waits until {execution.get('waitTill')}" if status == "waiting" else "is still running"
        message = f'The workflow "{name}" {doing}; run_workflow with execution_id {execution_id} follows it'
    else:
        made = f" and made {counted(len(result), 'item')}" if isinstance(result, list) and answered is None else ""
        message = f'The workflow "{name}" has run{made}'
    return WorkflowRun(
        message=f"{message}; not all of its result is shown" if is_cut else message,
        workflow_id=str(execution.get("workflowId")),
        execution_id=execution_id,
        status=status,
        result=result,
        result_is_cut=is_cut or None,
        waits_until=execution.get("waitTill") if status == "waiting" else None,
    )


def _unseen(workflow_id: str, name: str, execution_id: str | None, answered: Any) -> WorkflowRun:
    """What is known of a run that n8n shows nothing of."""
    result, is_cut = _cut(answered)
    what = "has answered" if answered is not None else "was started"
    return WorkflowRun(
        message=f'The workflow "{name}" {what}; n8n shows no record of the run, so nothing more is known of it',
        workflow_id=workflow_id,
        execution_id=execution_id,
        status="started",
        result=result,
        result_is_cut=is_cut or None,
    )


def _answered(answer: Answer | None) -> Any:
    """What a workflow answered by its webhook: JSON or text. None if it has not, or with something else."""
    if answer is None or answer.status not in OK or not answer.body:
        return None
    kind = answer.headers.get("content-type", "")
    if "json" in kind:
        try:
            return answer.json()
        except ValueError:
            return None
    return answer.body.decode("utf-8", "replace") if kind.startswith("text/") else None


def _cut(result: Any) -> tuple[Any, bool]:
    """As much of a result as can be shown, and whether that is less than all."""
    if _is_deep(result, _DEEPEST):
        return None, True
    if result is None or len(json.dumps(result)) <= _LARGEST:
        return result, False
    if isinstance(result, str):
        return result[: _LARGEST // 2], True
    if not isinstance(result, list):
        return None, True
    kept: list[Any] = []
    left = _LARGEST
    for item in result:
        left -= len(json.dumps(item)) + 2
        if left < 0:
            break
        kept.append(item)
    return kept, True


def _is_deep(value: Any, levels: int) -> bool:
    """Whether a value has more than so many levels, one in the other."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)
