"""What n8n keeps of a run of a workflow: how it stands, what came out of it, why it failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from sixty import SixtyError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAILED", "GOING_ON", "WorkflowFailed", "failure", "output", "status_of"]

GOING_ON = frozenset({"new", "running", "waiting"})
FAILED = frozenset({"error", "crashed", "canceled"})
_QUOTED = 1000
"""Characters of an error message that are passed on."""


class WorkflowFailed(SixtyError):
    """A workflow ran and failed. Details: `workflow_id`, `execution_id`, `status`, and the `node` that failed."""

    code: ClassVar[str] = "workflow_failed"


def status_of(execution: Mapping[str, Any]) -> str:
    """How it stands, in n8n's words: `success`, one of `GOING_ON`, one of `FAILED`, or `unknown`."""
    return str(execution.get("status") or "unknown")


def output(execution: Mapping[str, Any]) -> Any:
    """What the last node made: a list of objects, one for each of its items. None if n8n has kept none."""
    result = _result(execution)
    last = result.get("lastNodeExecuted")
    runs = _object(result.get("runData")).get(last) if isinstance(last, str) else None
    ran = _object(runs[-1]) if isinstance(runs, list) and runs else {}
    branches = _object(ran.get("data")).get("main")
    if not isinstance(branches, list):
        return None
    items = [item for branch in branches for item in branch or () if isinstance(item, dict)]
    return [item.get("json") for item in items]


def failure(name: str, execution: Mapping[str, Any]) -> WorkflowFailed:
    """The error of a run that has failed."""
    status, execution_id = status_of(execution), str(execution.get("id"))
    error = _object(_result(execution).get("error"))
    node = _object(error.get("node")).get("name") or _result(execution).get("lastNodeExecuted")
    said = error.get("message")
    where = f" in its node {json.dumps(node, ensure_ascii=False)}" if isinstance(node, str) else ""
    if status == "canceled":
        msg = f'the workflow "{name}" was cancelled in n8n{where}; run it again if it should run'
    else:
        why = said[:_QUOTED].rstrip(". ") if isinstance(said, str) and said else "n8n does not say why"
        msg = f'the workflow "{name}" failed{where}: {why}. Execution {execution_id} in n8n shows the whole of it'
    return WorkflowFailed(
        msg,
        workflow_id=str(execution.get("workflowId")),
        execution_id=execution_id,
        status=status,
        node=node if isinstance(node, str) else None,
    )


def _result(execution: Mapping[str, Any]) -> dict[str, Any]:
    return _object(_object(execution.get("data")).get("resultData"))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
