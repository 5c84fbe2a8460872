"""Something for admins alone: nobody else is told that it comes or goes."""

from __future__ import annotations

from sixty import Arguments, Call, Permissions, Result, Tool, hookimpl, tool


class Nothing(Arguments):
    """No arguments."""


@tool("take_stock", permission="stock:take", effect="read")
async def take_stock(args: Nothing, call: Call) -> Result:
    """Count the books."""
    return Result(message="Counted")


@hookimpl
def sixty_permissions() -> list[Permissions]:
    """A permission that no role but the admin's has."""
    return [Permissions("stock", {"take": "Take stock"}, {})]


@hookimpl
def sixty_tools() -> list[Tool]:
    """One."""
    return [take_stock]
