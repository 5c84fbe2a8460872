"""Makes docs/tools.md: every tool as it describes itself, with a call of the story and the answer that it really got.

`python tests/docs/reference.py` writes the page; a test says when it is not what comes out any more.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))  # as in conftest.py: `story` is found by path
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins/n8n/tests"))  # and `fake_n8n`, which answers for n8n

from fake_n8n import KEY, FakeN8n, running
from story import tell

from sixty.lifecycle import GROUP
from sixty.testing.databases import SqliteTemplates
from sixty.testing.organisation import open_organisation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sixty.registry import Pack, Registry
    from sixty.testing.organisation import Organisation
    from sixty.tools import Tool

__all__ = ["PAGE", "Told", "made"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tools.md"
_HEAD = Path(__file__).parent / "reference_head.md"
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_ORDER = ("core", "deals", "contacts", "activities", "tasks", "analytics")
"""The packs that come first, in this order; then the others."""


class Told:
    """The story as it is told: each call is made, and the first one of each tool is the example."""

    def __init__(self, organisation: Organisation, n8n: FakeN8n) -> None:
        self.organisation = organisation
        self.n8n = n8n
        self.examples: dict[str, tuple[dict[str, Any], Mapping[str, Any]]] = {}

    async def say(self, tool: str, /, by: str = "user", **arguments: Any) -> Mapping[str, Any]:
        """The answer to a call."""
        answer = await self.organisation.as_role(by).call(tool, **arguments)  # type: ignore[arg-type]
        self.examples.setdefault(tool, (arguments, answer))
        return answer


def made() -> str:
    """The page as it must be."""
    ours = {path.name for path in (ROOT / "plugins").iterdir()}
    plugins = tuple((entry.name, entry.load()) for entry in entry_points(group=GROUP) if entry.name in ours)
    with TemporaryDirectory() as folder:
        url = SqliteTemplates(Path(folder)).copy(plugins, Path(folder) / "sixty.db", {})
        return _numbered(asyncio.run(_told(url, plugins))).rstrip() + "\n"


async def _told(url: str, plugins: Iterable[tuple[str, object]]) -> str:
    async with running() as n8n, open_organisation(url, plugins, environ=_n8n(n8n)) as organisation:
        told = Told(organisation, n8n)
        await tell(told)
        return "".join(_page(organisation.host.registry, told))


def _n8n(n8n: FakeN8n) -> dict[str, str]:
    """The settings by which it is found."""
    return {"SIXTY_N8N_URL": n8n.url, "SIXTY_N8N_API_KEY": KEY}


def _page(registry: Registry, told: Told) -> Iterator[str]:
    yield _HEAD.read_text(encoding="utf-8")
    packs = sorted(registry.packs.values(), key=lambda pack: ((*_ORDER, pack.name).index(pack.name), pack.name))
    for pack in packs:
        yield f"\n## {pack.name.capitalize()}\n\n{pack.summary}\n\n"
        yield from _overview(pack)
        for tool in pack.tools:
            yield from _entry(tool, *told.examples[tool.name])


def _overview(pack: Pack) -> Iterator[str]:
    yield "| tool | needs | rate |\n|---|---|---|\n"
    for tool in pack.tools:
        needs = f"`{tool.permission}`" if tool.permission is not None else "that of the records"
        yield f"| [`{tool.name}`](#{tool.name}) | {needs} | {tool.rate} |\n"
    yield "\n"


def _entry(tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {tool.name}\n\n{' '.join(tool.description.split())}\n\n"
    required = tool.input_schema.get("required", ())
    if tool.input_schema["properties"]:
        yield "| argument | |\n|---|---|\n"
        for name, schema in tool.input_schema["properties"].items():
            yield f"| `{name}{'' if name in required else '?'}` | {_described(schema)} |\n"
        yield "\n"
    for block in ({"name": tool.name, "arguments": arguments}, answer):
        yield f"```json\n{json.dumps(block, indent=2, ensure_ascii=False)}\n```\n\n"


def _described(schema: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words: type, choices, bounds, default."""
    words: list[str] = []
    if "enum" in schema:
        words.append(", ".join(f"`{choice}`" for choice in schema["enum"]))
    elif schema.get("type") == "array":
        bounds = _between(schema.get("minItems"), schema.get("maxItems"))
        words.append(f"list{bounds} of {_described(schema.get('items', {})) or 'anything'}")
    elif schema.get("type") == "object":
        fields = ", ".join(f"`{name}`" for name in schema.get("properties", ()))
        words.append(f"object of {fields}" if fields else "object")
    else:
        words.append("id" if schema.get("format") == "uuid" else str(schema.get("type", "")))
        words.append(_between(schema.get("minLength"), schema.get("maxLength"), " characters"))
        low = schema.get("minimum")
        above = f" above {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""
        words.append(above + _between(low, schema.get("maximum")))
    text = "".join(words)
    if "default" in schema:
        text += f", `{json.dumps(schema['default'])}` unless given"
    if "description" in schema:
        text += f": {' '.join(schema['description'].split())}"
    return text.replace("|", "\\|")


def _between(least: Any, most: Any, unit: str = "") -> str:
    if least is not None and most is not None:
        return f" {least} to {most}{unit}"
    if most is not None:
        return f" up to {most}{unit}"
    return f" from {least}{unit}" if least is not None else ""


def _numbered(text: str) -> str:
    """The text with each id replaced by one that is the same each time: they are counted as they come."""
    seen: dict[str, str] = {}
    return _ID.sub(lambda found: seen.setdefault(found[0], f"00000000-0000-7000-8000-{len(seen) + 1:012}"), text)


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
