"""Writes what the node knows of the server: the tools of its static operations, and the events of its trigger.

`python plugins/n8n/node/generate.py` writes the files anew, with the packs installed; `--check` says which of them are
not what comes out any more, and fails if there is one.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sixty.crm import EVENTS, STAGES
from sixty.lifecycle import GROUP, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.tools import Tool

__all__ = ["drifted", "made"]

NODES = Path(__file__).parent / "nodes"
RESOURCES = {
    "activities": "activity",
    "analytics": "analytics",
    "contacts": "contact",
    "deals": "deal",
    "tasks": "task",
}
"""The packs whose tools are operations of a resource; those of all others are reached as other tools."""

_HEAD = "// Made by generate.py from the tools and events of the server: do not edit.\n"
_ENVELOPE = {"success", "message", "change_id", "count", "total", "total_is_at_least", "next_cursor"}


def made() -> dict[Path, str]:
    """Each file as it must be."""
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    operations = [
        _operation(resource, tool)
        for pack, resource in RESOURCES.items()
        for tool in load(pack, installed[pack].load(), {}).tools
    ]
    events = [{"name": event.name, "description": getdoc(event)} for event in EVENTS]
    return {
        NODES / "SixtyCrm" / "operations.generated.ts": _HEAD
        + "import type { Operation } from './operations';\n\n"
        + f"export const OPERATIONS: Operation[] = {_typescript(operations)};\n",
        NODES / "SixtyCrmTrigger" / "events.generated.ts": _HEAD
        + f"\nexport const EVENTS = {_typescript(events)};\n\nexport const STAGES = {_typescript(STAGES)};\n",
    }


def drifted() -> list[Path]:
    """The files that are not what comes out any more."""
    return [path for path, text in made().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def _operation(resource: str, tool: Tool) -> dict[str, Any]:
    head, *others = tool.name.split("_")
    schema = {name: tool.input_schema[name] for name in ("properties", "required") if name in tool.input_schema}
    return {
        "resource": resource,
        "operation": head + "".join(word.capitalize() for word in others),
        "tool": tool.name,
        "description": " ".join(tool.description.split()),
        "effect": tool.effect,
        "main": _main(tool),
        "schema": schema,
    }


def _main(tool: Tool) -> str | None:
    """The key of what a result is about: the records of a list, the record that was written. Figures have none."""
    result: Mapping[str, Any] = (tool.output_schema or {}).get("properties", {})
    is_list = "next_cursor" in result
    if tool.effect == "read" and not is_list:
        return None
    said = {name: schema.get("type") for name, schema in result.items() if name not in _ENVELOPE}
    records = [name for name, type_ in said.items() if type_ == "object" and not is_list]
    lists = [name for name, type_ in said.items() if type_ == "array"]
    return next(iter(records + lists), None)


def _typescript(value: Any) -> str:
    return json.dumps(value, indent="\t", ensure_ascii=False)


def main() -> int:
    """Write, or with `--check` compare; the status to exit with."""
    if "--check" in sys.argv[1:]:
        for path in (stale := drifted()):
            print(f"{path} is not what the packs say any more; run {Path(__file__).name}", file=sys.stderr)  # noqa: T201
        return bool(stale)
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
