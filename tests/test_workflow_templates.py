"""The workflow templates fit what there is: nodes of n8n, operations and arguments of the tools, and carry no secret.

Whether they do what they promise is asked in a real n8n, in tests/n8n.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from sixty.crm import EVENTS, STAGES
from sixty.lifecycle import GROUP, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sixty.tools import Tool

ROOT = Path(__file__).parents[1]
TEMPLATES = {path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "plugins/n8n/templates").glob("*.json")}
KNOWN: Mapping[str, list[float]] = json.loads((ROOT / "tests/n8n/known_nodes.json").read_text("utf-8"))
PACKAGE = json.loads((ROOT / "plugins/n8n/node/package.json").read_text("utf-8"))["name"]
OURS = {f"{PACKAGE}.sixtyCrm": [1], f"{PACKAGE}.sixtyCrmTrigger": [1]}
RESOURCES = {
    "deals": "deal",
    "contacts": "contact",
    "activities": "activity",
    "tasks": "task",
    "analytics": "analytics",
}
"""The packs whose tools are operations of the node, by resource."""
SECRETS = re.compile(r"sk60_|whsec_|Bearer |password|api_?key|https?://", re.IGNORECASE)
COMMON = {"resource", "operation", "simplify", "limit", "returnAll", "fieldsToClear"}
"""Parameters of the node that are no arguments of a tool."""

each_template = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)


def nodes(template: Mapping[str, Any], type_: str) -> Iterator[Mapping[str, Any]]:
    """The nodes of a type of ours."""
    return (node for node in template["nodes"] if node["type"] == f"{PACKAGE}.{type_}")


def tools() -> dict[tuple[str, str], Tool]:
    """Every tool that is an operation, by resource and operation."""
    installed = {entry.name: entry.load() for entry in entry_points(group=GROUP) if entry.name in RESOURCES}
    return {
        (RESOURCES[name], re.sub(r"_([a-z])", lambda found: found[1].upper(), tool.name)): tool
        for name, module in installed.items()
        for tool in load(name, module, {}).tools
    }


def test_there_are_six() -> None:
    assert sorted(TEMPLATES) == [
        "lead-qualification",
        "lead-scoring",
        "outreach",
        "pipeline-review",
        "renewals",
        "weekly-forecast",
    ]


@each_template
def test_each_node_is_one_that_there_is_in_a_version_that_there_is(template: Mapping[str, Any]) -> None:
    for node in template["nodes"]:
        known = {**KNOWN, **OURS}
        assert node["typeVersion"] in known[node["type"]], node["name"]
        assert node["typeVersion"] == known[node["type"]][-1], f"{node['name']} has a newer version"


@each_template
def test_names_and_ids_are_unique_and_each_node_is_reached_from_a_trigger(template: Mapping[str, Any]) -> None:
    names = [node["name"] for node in template["nodes"]]
    assert len(set(names)) == len(names)
    assert len({node["id"] for node in template["nodes"]}) == len(names)
    links = {
        name: {link["node"] for branch in outputs["main"] for link in branch}
        for name, outputs in template["connections"].items()
    }
    assert links.keys() <= set(names)
    reached = {node["name"] for node in template["nodes"] if re.search(r"(?i)trigger$|\.webhook$", node["type"])}
    assert len(reached) == 1
    while more := set().union(*(links.get(name, set()) for name in reached)) - reached:
        reached |= more
    assert reached == set(names) - {"About"}


@each_template
def test_expressions_name_nodes_that_there_are(template: Mapping[str, Any]) -> None:
    names = {node["name"] for node in template["nodes"]}
    mentioned = set(re.findall(r"\$\('([^']+)'\)", json.dumps(template, ensure_ascii=False)))
    assert mentioned <= names


@each_template
def test_no_credential_no_address_and_no_data_is_inside(template: Mapping[str, Any]) -> None:
    assert template.keys() == {"name", "nodes", "connections", "settings"}
    for node in template["nodes"]:
        assert "credentials" not in node
        assert not SECRETS.search(json.dumps(node["parameters"])), node["name"]


@each_template
def test_it_says_how_to_set_it_up(template: Mapping[str, Any]) -> None:
    (about,) = (node for node in template["nodes"] if node["name"] == "About")
    assert "**Set up:**" in about["parameters"]["content"]


@each_template
def test_each_operation_is_a_tool_with_arguments_that_it_takes(template: Mapping[str, Any]) -> None:
    known = tools()
    for node in nodes(template, "sixtyCrm"):
        given = node["parameters"]
        schema = known[given["resource"], given["operation"]].input_schema
        fields, required = schema["properties"], set(schema.get("required", ()))
        direct = given.keys() - COMMON - {"additionalFields"}
        assert direct == required, node["name"]
        optional = given.get("additionalFields", {})
        assert optional.keys() <= fields.keys() - required - {"limit", "cursor"}, node["name"]
        assert ("cursor" in fields) or not given.keys() & {"limit", "returnAll"}, node["name"]
        for name, value in [*((name, given[name]) for name in direct), *optional.items()]:
            check(fields[name], value, f"{node['name']}: {name}")


def check(schema: Mapping[str, Any], value: Any, where: str) -> None:
    """A value that is known fits its argument: what an expression gives is known only when it runs."""
    if isinstance(value, dict) and "__rl" in value:
        assert schema["format"] == "uuid", where
        value = value["value"]
    if isinstance(value, dict):
        inner = value.get("values", value)
        assert inner.keys() <= schema["properties"].keys(), where
        for name, content in inner.items():
            check(schema["properties"][name], content, f"{where}.{name}")
    elif not str(value).startswith("="):
        entered = [part.strip() for part in value.split(",")] if schema.get("type") == "array" else value
        Draft202012Validator(schema).validate(entered)


@each_template
def test_each_event_that_starts_one_is_published(template: Mapping[str, Any]) -> None:
    for node in nodes(template, "sixtyCrmTrigger"):
        assert set(node["parameters"]["events"]) <= {event.name for event in EVENTS}
        assert set(node["parameters"].get("toStages", ())) <= set(STAGES)
