"""Workflows for the tests: the templates as they are checked in, and small ones around a single node."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

__all__ = ["ACTION", "TEMPLATES", "TRIGGER", "chain", "template", "with_credentials"]

TEMPLATES = Path(__file__).parents[2] / "plugins/n8n/templates"
ACTION, TRIGGER = "n8n-nodes-sixty-crm.sixtyCrm", "n8n-nodes-sixty-crm.sixtyCrmTrigger"
_CREDENTIALS = {
    ACTION: "sixtyCrmApi",
    TRIGGER: "sixtyCrmApi",
    "n8n-nodes-base.emailSend": "smtp",
    "@n8n/n8n-nodes-langchain.mcpClient": "httpBearerAuth",
}
"""What each type of node asks for."""


def template(name: str, **parameters: dict[str, Any]) -> dict[str, Any]:
    """A template; what `parameters` say of a node, by its name with underscores, replaces parameters of it."""
    workflow: dict[str, Any] = json.loads((TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))
    for node in workflow["nodes"]:
        node["parameters"] |= parameters.pop(node["name"].replace(" ", "_"), {})
    assert not parameters, f"{name} has no nodes {list(parameters)}"
    return workflow


def with_credentials(workflow: dict[str, Any], credentials: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The workflow as somebody has it who has chosen a credential in each node."""
    for node in workflow["nodes"]:
        if (kind := _CREDENTIALS.get(node["type"])) is not None:
            node["credentials"] = {kind: credentials[kind]}
    return workflow


def chain(name: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    """A workflow of these nodes, one after the other."""
    placed = [{"id": f"n{place}", "position": [place * 240, 0], **node} for place, node in enumerate(nodes)]
    links = {
        one["name"]: {"main": [[{"node": other["name"], "type": "main", "index": 0}]]}
        for one, other in pairwise(placed)
    }
    return {"name": name, "nodes": placed, "connections": links, "settings": {"executionOrder": "v1"}}
