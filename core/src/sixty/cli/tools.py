"""`sixty tools`: what agents are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty.cli.opening import active, with_host
from sixty.cli.output import as_json, show

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.offers import Offer

__all__ = ["tools"]


@click.command()
@click.option("--user", "email", metavar="EMAIL", help="Only the tools that this user may call.")
@as_json
@with_host
async def tools(host: Host, email: str | None, *, as_json: bool) -> None:
    """List the tools, all of them or those of one user."""
    registry = host.registry
    offered: tuple[Offer, ...] = tuple(registry.tools.values())
    if email is not None:
        offered = registry.visible("tool", active(await host.identity.directory(), email))
    rows = [
        {
            "name": tool.name,
            "pack": registry.pack_of[tool].name,
            "effect": tool.effect,
            "permission": tool.permission,
            "rate": tool.rate,
            "about": tool.description.partition("\n")[0],
        }
        for tool in offered
    ]
    show(rows, as_json=as_json, empty="There are no tools.")
