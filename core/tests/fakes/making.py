"""Plugins and tools that a test makes as it needs them."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from sixty import Arguments, Call, Result, Tool, hookimpl, tool

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Nothing", "named_tool", "plugin", "poke"]


class Nothing(Arguments):
    pass


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    """A plugin module with these hooks."""
    module = ModuleType("fake_plugin", "A fake plugin.")
    for name, hook in hooks.items():
        setattr(module, name, hookimpl(hook))
    return module


def named_tool(name: str, *, permission: str | None = None) -> Tool:
    """A tool that does nothing."""

    async def handler(args: Nothing, call: Call) -> Result:
        """Do nothing."""
        return Result(message="done")

    handler.__annotations__ = {"args": Nothing, "call": Call, "return": Result}
    return tool(name, permission=permission, effect="read")(handler)


@tool("poke", permission=None, effect="read")
async def poke(args: Nothing, call: Call) -> Result:
    """Poke it."""
    return Result(message="poked")
