"""Every tool, called by an operation of the node and by n8n's own MCP client, in the real n8n."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from cases import CASES
from workflows import ACTION, chain, with_credentials

from sixty import builtin
from sixty.lifecycle import GROUP, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crm import Crm
    from running import N8n

    from sixty.tools import Tool

pytestmark = pytest.mark.n8n
RESOURCES = {
    "deals": "deal",
    "contacts": "contact",
    "activities": "activity",
    "tasks": "task",
    "analytics": "analytics",
}
"""The packs that are resources of the node; the tools of all others are `other`."""
LOCATORS = {"deal_id", "contact_id", "primary_id"}
CLIENT = "@n8n/n8n-nodes-langchain.mcpClient"
REPEAT = "return [$json.body]"
BY_HAND = {"name": "By hand", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "parameters": {}}


def tools() -> dict[str, tuple[str, Tool]]:
    """Every tool, with its resource."""
    packs = [load("core", builtin, {})] + [load(entry.name, entry.load(), {}) for entry in entry_points(group=GROUP)]
    return {tool.name: (RESOURCES.get(pack.name, "other"), tool) for pack in packs for tool in pack.tools}


def operation(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the node with which it calls a tool with these arguments, as somebody enters them."""
    resource, found = tools()[tool]
    if resource == "other":
        mapped = {"mappingMode": "defineBelow", "value": dict(arguments), "schema": []}
        return {"resource": resource, "tool": {"__rl": True, "mode": "name", "value": tool}, "toolArguments": mapped}
    schema = found.input_schema
    head, *rest = tool.split("_")
    given: dict[str, Any] = {"resource": resource, "operation": head + "".join(map(str.capitalize, rest))}
    fields = {name: entered(name, schema["properties"][name], value) for name, value in arguments.items()}
    for name in schema.get("required", ()):
        given[name] = fields.pop(name)
    return {**given, "additionalFields": fields}


def entered(name: str, schema: Mapping[str, Any], value: Any) -> Any:
    """A value in the form in which the node takes it."""
    if name == "updates":
        return {field: entered(field, schema["properties"][field], content) for field, content in value.items()}
    if name in LOCATORS:
        return {"__rl": True, "mode": "id", "value": value}
    if schema.get("type") == "object" and "properties" in schema:
        return {"values": value}
    if schema.get("type") == "array" and "enum" not in schema["items"]:
        texts = all(isinstance(each, str) for each in value)
        return ", ".join(value) if texts else json.dumps(value)
    return json.dumps(value) if isinstance(value, dict) else value


@pytest.fixture(scope="module", autouse=True)
def echo(n8n: N8n) -> Iterator[str]:
    """A workflow that says what it is told."""
    hook = {"httpMethod": "POST", "path": "echo"}
    workflow = chain(
        "An echo",
        {"name": "Hear", "type": "n8n-nodes-base.webhook", "typeVersion": 2.1, "parameters": hook},
        {
            "name": "Say",
            "type": "n8n-nodes-base.code",
            "typeVersion": 2,
            "parameters": {"jsCode": "return [$json.body]"},
        },
    )
    workflow_id = n8n.add(workflow)
    n8n.activate(workflow_id)
    yield workflow_id
    n8n.remove(workflow_id)


def ran(n8n: N8n, tool: str, node: dict[str, Any]) -> dict[str, Any]:
    """What came out of a workflow of this node."""
    workflow_id = n8n.add(with_credentials(chain(f"The operation {tool}", BY_HAND, node), n8n.credentials))
    ended = n8n.ended(n8n.start(workflow_id, BY_HAND["name"]))
    result = ended["data"]["resultData"]
    assert ended["status"] == "success", result.get("error")
    (item,) = result["runData"][node["name"]][0]["data"]["main"][0]
    return item["json"]  # type: ignore[no-any-return]


def test_there_is_a_case_for_every_tool() -> None:
    assert CASES.keys() == tools().keys()


@pytest.mark.parametrize("tool", CASES)
def test_each_operation_of_the_node_does_what_its_tool_does(n8n: N8n, crm: Crm, tool: str) -> None:
    arguments, is_done = CASES[tool](crm)
    parameters = {**operation(tool, arguments), "simplify": False}
    answer = ran(n8n, tool, {"name": "Sixty", "type": ACTION, "typeVersion": 1, "parameters": parameters})
    assert answer["success"] is True
    assert is_done(answer), answer


@pytest.mark.parametrize("tool", CASES)
def test_each_tool_is_called_by_the_mcp_client_of_n8n(n8n: N8n, crm: Crm, tool: str) -> None:
    arguments, is_done = CASES[tool](crm)
    n8n.keep("httpBearerAuth", "Sixty over MCP", {"token": crm.keys["admin"]})
    parameters = {
        "endpointUrl": f"{crm.url}/mcp",
        "authentication": "bearerAuth",
        "tool": {"__rl": True, "mode": "id", "value": tool},
        "inputMode": "json",
        "jsonInput": json.dumps(arguments),
        "options": {},
    }
    node = {"name": "MCP", "type": CLIENT, "typeVersion": 1.1, "parameters": parameters}
    answer = ran(n8n, tool, node)["structuredContent"]
    assert answer["success"] is True
    assert is_done(answer), answer


def test_the_mcp_client_of_n8n_lists_every_tool(n8n: N8n, crm: Crm) -> None:
    n8n.keep("httpBearerAuth", "Sixty over MCP", {"token": crm.keys["admin"]})
    listed = n8n.rest(
        "POST",
        "dynamic-node-parameters/resource-locator-results",
        {
            "path": "parameters.tool",
            "methodName": "getTools",
            "nodeTypeAndVersion": {"name": CLIENT, "version": 1.1},
            "currentNodeParameters": {"endpointUrl": f"{crm.url}/mcp", "authentication": "bearerAuth"},
            "credentials": {"httpBearerAuth": n8n.credentials["httpBearerAuth"]},
        },
    )
    assert {found["value"] for found in listed["results"]} == set(CASES)
