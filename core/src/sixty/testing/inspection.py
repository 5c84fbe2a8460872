"""Looking at what a pack ships: its schemas, its tables, its imports."""

from __future__ import annotations

import ast
from importlib import import_module
from inspect import getfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import sqlalchemy as sa

    from sixty.tools import Tool

__all__ = ["differences", "faults", "imports", "in_database", "size", "sources"]


def size(tool: Tool) -> int:
    """Bytes of a tool in the list that every agent reads."""
    shown = {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}
    return len(orjson.dumps(shown))


def faults(schema: Any) -> Iterator[str]:
    """What makes a schema larger or harder to use than it has to be."""
    text = orjson.dumps(schema).decode()
    for name in schema.get("$defs", ()):
        if text.count(f'"#/$defs/{name}"') < 2:
            yield f"$defs/{name} is used once at the most: put it where it is used"
    yield from _walk(schema)


def _walk(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("title"), str):
        yield f"the title {node['title']!r} only costs the agent attention"
    if {"type": "null"} in node.get("anyOf", ()):
        yield "an optional value keeps its plain type and is not required; clients show anyOf with null as text"
    for name, content in node.items():
        if name in ("properties", "$defs"):
            for inner in content.values():
                yield from _walk(inner)
        elif name not in ("enum", "const", "default", "examples"):
            yield from _walk(content)


async def in_database(url: str, ask: Callable[[sa.Connection], Any]) -> Any:
    """The answer of `ask`, given a connection to the database at `url`."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - only where tables are compared

    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(ask)
    finally:
        await engine.dispose()


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[Any]:
    """What a revision would have to do for the tables in the database to be as declared."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - as above
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above

    def own(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or name in metadata.tables

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": own})
    return list(compare_metadata(context, metadata))


def sources(module: ModuleType) -> list[Path]:
    """Every file of the package that a plugin's module belongs to; a pack of one file is that file."""
    top = import_module(module.__name__.partition(".")[0])
    if getattr(top, "__path__", None):
        return [path for folder in top.__path__ for path in sorted(Path(folder).rglob("*.py"))]
    return [Path(getfile(module))]


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module
