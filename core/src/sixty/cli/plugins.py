"""`sixty plugins`: which packs there are, which of them serve, and what each of them brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sixty.cli.check import check
from sixty.cli.enabling import disable, enable
from sixty.cli.installing import install, uninstall
from sixty.cli.new import new
from sixty.cli.opening import with_host
from sixty.cli.output import as_json, print_json, show
from sixty.errors import NotFound, nearest
from sixty.events import ANY
from sixty.terms import Terms

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.registry import Pack, Registry

__all__ = ["plugins"]


@click.group()
def plugins() -> None:
    """List, enable, disable, install and uninstall packs; begin and check one of your own."""


for command in (enable, disable, install, uninstall, new, check):
    plugins.add_command(command)


@plugins.command("list")
@as_json
@with_host
async def list_(host: Host, *, as_json: bool) -> None:
    """List every pack, also those that do not serve, and why."""
    registry = host.registry
    rows = [
        {"name": pack.name, "version": pack.version, "state": "loaded", "tools": len(pack.tools), "about": pack.summary}
        for pack in registry.packs.values()
    ]
    rows += [
        {
            "name": name,
            "version": absent.terms.version if absent.terms else None,
            "state": absent.state,
            "tools": 0,
            "about": absent.reason,
        }
        for name, absent in registry.absent.items()
    ]
    rows += [
        {"name": name, "version": None, "state": "quarantined", "tools": 0, "about": reason}
        for name, reason in registry.quarantined.items()
    ]
    show(rows, as_json=as_json, empty="There are no packs.")


@plugins.command("show")
@click.argument("name")
@as_json
@with_host
async def show_(host: Host, name: str, *, as_json: bool) -> None:
    """Show what a pack brings, also one that does not serve."""
    shown = _shown(host.registry, name)
    if as_json:
        print_json(shown)
        return
    click.echo(f"{name} {shown['version'] or ''}: {shown['about']}")
    for what, items in shown.items():
        if isinstance(items, dict) and items:
            click.echo(f"\n{what}:")
            show([{"name": key, "about": about} for key, about in items.items()], as_json=False, empty="")


def _shown(registry: Registry, name: str) -> dict[str, Any]:
    if name in registry.packs:
        return _brought(registry.packs[name])
    if name in registry.quarantined:
        return {"name": name, "version": None, "state": "quarantined", "about": registry.quarantined[name]}
    if name not in registry.absent:
        known = (*registry.packs, *registry.quarantined, *registry.absent)
        raise NotFound(f"there is no pack {name!r}{nearest(name, known)}")
    absent, terms = registry.absent[name], registry.absent[name].terms or Terms()
    return {
        "name": name,
        "version": terms.version or None,
        "state": absent.state,
        "about": absent.reason,
        "tools": dict.fromkeys(terms.tools, "offered once it serves"),
        "tables": dict.fromkeys(terms.tables, "there once it serves"),
        "permissions": terms.permissions,
    }


def _brought(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "state": "loaded",
        "about": pack.summary,
        "tools": {tool.name: tool.description.partition("\n")[0] for tool in pack.tools},
        "kinds of records": {kind.name: f"in the table {kind.table.name}" for kind in pack.kinds},
        "permissions": {
            f"{item.resource}:{action}": sentence
            for item in pack.permissions
            for action, sentence in item.actions.items()
        },
        "reactions": {
            reaction.name: f"when {'anything' if reaction.event == ANY else reaction.event} happens"
            for reaction in pack.reactions
        },
        "jobs": {job.name: job.description.partition("\n")[0] for job in pack.jobs},
        "schedules": {item.name: f"{item.job.name} at {item.cron}" for item in pack.schedules},
        "views": {item.view.name: ", ".join(item.view.columns) for item in pack.views},
    }
