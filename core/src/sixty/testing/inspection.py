"""Looking at what a pack ships: its schemas, its tables, its imports."""

from __future__ import annotations

import ast
import warnings
from importlib import import_module
from inspect import getfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from sixty.tools import Tool

__all__ = ["PUBLIC", "asked_for", "differences", "faults", "imports", "in_database", "is_public", "size", "sources"]

PUBLIC = frozenset(
    {
        "sixty",
        "sixty.audit",
        "sixty.commands",
        "sixty.crm",
        "sixty.demo",
        "sixty.directory",
        "sixty.exchange",
        "sixty.host",
        "sixty.search",
        "sixty.testing",
    }
)
"""The modules that packs may import."""
_ASKING = frozenset({"may", "scope", "scopes"})
"""The methods by which a handler asks for a permission."""


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
    with warnings.catch_warnings():
        # SQLite does not tell what such an index is made of, so that it is left out of what is compared
        warnings.filterwarnings("ignore", ".*expression-based index", UserWarning)
        warnings.filterwarnings("ignore", ".*expression-based index", sa.exc.SAWarning)
        return list(compare_metadata(context, metadata))


def sources(module: ModuleType) -> list[Path]:
    """Every file of the package that a plugin's module belongs to; a pack of one file is that file."""
    top = import_module(module.__name__.partition(".")[0])
    if getattr(top, "__path__", None):
        return [path for folder in top.__path__ for path in sorted(Path(folder).rglob("*.py"))]
    return [Path(getfile(module))]


def imports(path: Path) -> Iterator[str]:
    """What a file imports, wherever in it: modules, and names as `module.name`."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_public(name: str) -> bool:
    """Whether a pack may import `name`, as `imports` says it: it is not of `sixty`, or among what is public there."""
    if name.partition(".")[0] != "sixty" or name in PUBLIC:
        return True
    module, _, attribute = name.rpartition(".")
    if module not in PUBLIC:
        return False
    return attribute == "*" or attribute in import_module(module).__all__


def asked_for(path: Path) -> Iterator[str]:
    """The permissions that a file asks for by name, as in `call.scopes("deals:update")`."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKING:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
