"""`sixty plugins`: which packs are installed, and what each of them brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sixty.cli.check import check
from sixty.cli.new import new
from sixty.cli.opening import with_host
from sixty.cli.output import as_json, print_json, show
from sixty.errors import NotFound, nearest

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.registry import Pack

__all__ = ["plugins"]


@click.group()
def plugins() -> None:
    """List packs, and show what each of them brings."""


plugins.add_command(new)
plugins.add_command(check)


@plugins.command("list")
@as_json
@with_host
async def list_(host: Host, *, as_json: bool) -> None:
    """List every pack, also those that could not be loaded, and why."""
    rows = [
        {"name": pack.name, "version": pack.version, "state": "loaded", "tools": len(pack.tools), "about": pack.summary}
        for pack in host.registry.packs.values()
    ]
    rows += [
        {"name": name, "version": None, "state": "quarantined", "tools": 0, "about": reason}
        for name, reason in host.registry.quarantined.items()
    ]
    show(rows, as_json=as_json, empty="There are no packs.")


@plugins.command("show")
@click.argument("name")
@as_json
@with_host
async def show_(host: Host, name: str, *, as_json: bool) -> None:
    """Show what a pack brings."""
    registry = host.registry
    if name in registry.quarantined:
        raise NotFound(f"{name} is quarantined: {registry.quarantined[name]}")
    if name not in registry.packs:
        raise NotFound(f"there is no pack {name!r}{nearest(name, (*registry.packs, *registry.quarantined))}")
    brought = _brought(registry.packs[name])
    if as_json:
        print_json(brought)
        return
    click.echo(f"{name} {brought['version']}: {brought['about']}")
    for what, items in brought.items():
        if isinstance(items, dict) and items:
            click.echo(f"\n{what}:")
            show([{"name": key, "about": about} for key, about in items.items()], as_json=False, empty="")


def _brought(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "about": pack.summary,
        "tools": {tool.name: tool.description.partition("\n")[0] for tool in pack.tools},
        "kinds of records": {kind.name: f"in the table {kind.table.name}" for kind in pack.kinds},
        "permissions": {
            f"{item.resource}:{action}": sentence
            for item in pack.permissions
            for action, sentence in item.actions.items()
        },
        "reactions": {reaction.name: f"when {reaction.event} happens" for reaction in pack.reactions},
        "views": {item.view.name: ", ".join(item.view.columns) for item in pack.views},
    }
