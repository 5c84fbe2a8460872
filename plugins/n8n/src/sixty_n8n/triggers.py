"""How a workflow can be started, read from its nodes. Nothing is asked here.

The nodes that count are those of the version that runs (`activeVersion`): what is shown beside it in n8n's editor may
be a draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sixty import Conflict, Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty_n8n.settings import N8nSettings

__all__ = ["Webhook", "is_active", "obstacle", "started_by", "webhook_of"]

_WEBHOOK = "n8n-nodes-base.webhook"
_NEEDED = "run_workflow needs a workflow that is active and begins with a Webhook node"
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "formTrigger": "form",
        "scheduleTrigger": "schedule",
        "manualTrigger": "by hand",
        "executeWorkflowTrigger": "another workflow",
        "chatTrigger": "chat",
        "mcpTrigger": "MCP",
        "errorTrigger": "error of another workflow",
    }
)
"""What the commonest triggers are called here; others by the name of their type."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a workflow waits to be called."""

    workflow_id: str
    method: str
    path: str
    """Below `/webhook/`."""
    authentication: str
    """`none`, or what it asks for, such as `headerAuth`."""
    waits: bool
    """Whether it answers with what the workflow has made, and not at once."""

    def __str__(self) -> str:
        return f"webhook {self.method} /webhook/{self.path}"


def is_active(workflow: Mapping[str, Any]) -> bool:
    """Whether it runs when it is called."""
    return bool(workflow.get("active")) and not workflow.get("isArchived")


def started_by(workflow: Mapping[str, Any]) -> list[str]:
    """Everything that starts it, in words."""
    return [str(_webhook(workflow, node) or _word(node)) for node in _nodes(workflow) if _is_trigger(node)]


def webhook_of(workflow: Mapping[str, Any], settings: N8nSettings) -> Webhook:
    """The webhook by which it is started. What is missing for that is raised, with what to do about it."""
    name = str(workflow.get("name"))
    if not is_active(workflow):
        msg = f'the workflow "{name}" is not active, and so nothing starts it: publish it in n8n'
        raise Conflict(msg)
    found = [webhook for node in _nodes(workflow) if (webhook := _webhook(workflow, node)) is not None]
    if not found:
        by = ", ".join(started_by(workflow)) or "nothing"
        msg = f'the workflow "{name}" cannot be started from here: it is started by {by}. {_NEEDED}'
        raise Invalid(msg, field="workflow_id")
    webhook = min(found, key=lambda each: (not _fits(each, settings), each.method != "POST"))
    if "/:" in f"/{webhook.path}" or webhook.path.startswith("="):
        msg = (
            f'the webhook of the workflow "{name}" has a path with variables, {webhook.path}. {_NEEDED} of a fixed path'
        )
        raise Invalid(msg, field="workflow_id")
    if not _fits(webhook, settings):
        mend = "set SIXTY_N8N_WEBHOOK_TOKEN" if webhook.authentication == "headerAuth" else "use Header Auth there"
        msg = f'the webhook of the workflow "{name}" asks for credentials ({webhook.authentication}): {mend}'
        raise Unavailable(msg)
    return webhook


def obstacle(workflow: Mapping[str, Any], settings: N8nSettings) -> str | None:
    """Why `run_workflow` cannot start it, or None if it can."""
    try:
        webhook_of(workflow, settings)
    except (Conflict, Invalid, Unavailable) as error:
        return error.message
    return None


def _nodes(workflow: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    running = workflow.get("activeVersion")
    nodes = (running if isinstance(running, dict) and "nodes" in running else workflow).get("nodes")
    return [node for node in nodes if isinstance(node, dict) and not node.get("disabled")] if nodes else []


def _type(node: Mapping[str, Any]) -> str:
    return str(node.get("type", ""))


def _is_trigger(node: Mapping[str, Any]) -> bool:
    return _type(node) == _WEBHOOK or _type(node).lower().endswith("trigger")


def _word(node: Mapping[str, Any]) -> str:
    name = _type(node).rpartition(".")[2]
    return _WORDS.get(name, name.removesuffix("Trigger"))


def _webhook(workflow: Mapping[str, Any], node: Mapping[str, Any]) -> Webhook | None:
    if _type(node) != _WEBHOOK:
        return None
    given = node.get("parameters")
    given = given if isinstance(given, dict) else {}
    methods = given.get("httpMethod") or "GET"
    methods = [str(method) for method in (methods if isinstance(methods, list) else [methods])]
    path = str(given.get("path", "")).strip("/")
    if not node.get("webhookId"):  # n8n then puts the workflow and the node before it
        path = f"{workflow.get('id')}/{quote(str(node.get('name', '')).lower(), safe='')}/{path}"
    return Webhook(
        workflow_id=str(workflow.get("id")),
        method="POST" if "POST" in methods else methods[0],
        path=path,
        authentication=str(given.get("authentication", "none")),
        waits=given.get("responseMode", "onReceived") != "onReceived",
    )


def _fits(webhook: Webhook, settings: N8nSettings) -> bool:
    """Whether there is what it asks for."""
    return webhook.authentication == "none" or (
        webhook.authentication == "headerAuth" and settings.webhook_token is not None
    )
