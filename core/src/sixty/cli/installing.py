"""`sixty plugins install` and `uninstall`: packs into the environment that runs, and out of it again."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from sixty import lifecycle
from sixty.cli import pip
from sixty.cli.asking import confirm, yes
from sixty.cli.opening import exit_with, with_host
from sixty.dropping import drop_data as drop
from sixty.errors import NotFound, PluginError, nearest
from sixty.roster import enable, forget, load_roster
from sixty.terms import Terms

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["install", "uninstall"]


@click.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@yes
@with_host
async def install(host: Host, specs: tuple[str, ...], *, yes: bool) -> None:
    """Install packs, or newer versions of them: by name, version, folder or wheel.

    Says first what they will get, and asks. Running servers load a new pack within a second.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        named = pip.fetch(specs, folder)
        if not named:
            click.echo("Everything that was asked for is installed already.")
            return
        packs = pip.survey(folder)
        _check(specs, packs)
        accepted = await _accepted(host)
        for pack in packs:
            _say(pack, accepted.get(pack["name"]))
        others = [f"{found} {version}" for found, version in named if found not in {p["distribution"] for p in packs}]
        if others:
            click.echo(f"With it come {', '.join(others)}.")
        confirm("Install?", yes=yes)
        pip.install(named, folder)
    failed = [pack["name"] for pack in packs if not await _enable(host, pack)]
    for pack in packs:
        if (before := host.registry.packs.get(pack["name"])) is not None and before.version != pack["version"]:
            click.echo(f"Servers that have loaded {pack['name']} {before.version} keep it: restart them.")
    if failed:
        exit_with(1)


def _check(specs: tuple[str, ...], packs: list[dict[str, Any]]) -> None:
    if not packs:
        raise PluginError(f"{' '.join(specs)} is not a pack: it has no entry point in the group {lifecycle.GROUP}")
    for pack in packs:
        if "problem" in pack:
            raise PluginError(f"{pack['name']} {pack['version']} cannot be loaded: {pack['problem']}")


async def _accepted(host: Host) -> dict[str, Terms]:
    async with host.database.snapshot() as reader:
        decisions = (await load_roster(reader)).packs
    return {name: decision.accepted for name, decision in decisions.items() if decision.accepted is not None}


def _say(pack: dict[str, Any], accepted: Terms | None) -> None:
    """Say what a pack will get, or what changes where one version of it was accepted."""
    terms, name = Terms.from_json(pack["terms"]), f"{pack['name']} {pack['version']}"
    if accepted is None:
        click.echo(f"{name} asks for{':' if terms.asks else ' nothing.'}")
        changes = [f"  {ask}" for ask in terms.asks]
    else:
        more, less = terms.beyond(accepted).asks, accepted.beyond(terms).asks
        same = "" if more or less else ", the same as before"
        click.echo(f"{name} instead of {accepted.version or 'what was there'}{':' if more or less else same}")
        changes = [*(f"  + {ask}" for ask in more), *(f"  - {ask}" for ask in less)]
    for line in changes:
        click.echo(line)


async def _enable(host: Host, pack: dict[str, Any]) -> bool:
    """Enable it, as it was accepted; whether that worked."""
    name, version, allowed = pack["name"], pack["version"], host.settings.plugins
    if allowed is not None and name not in allowed:
        await enable(host.database, name, Terms.from_json(pack["terms"]), host.clock())
        click.echo(f"{name} {version} is installed. It loads where SIXTY_PLUGINS names it, and here that does not.")
        return True
    # in a fresh process: this one may have loaded another version
    command = [sys.executable, "-c", "from sixty.cli import main; main()", "plugins", "enable", name, "--accept"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: ASYNC221, S603 - our own command
    if done.returncode == 0:
        click.echo(f"{name} {version} is installed and enabled.")
    else:
        click.echo(f"{name} {version} is installed, and not enabled. {done.stderr.strip()}", err=True)
    return done.returncode == 0


@click.command()
@click.argument("name")
@yes
@click.option("--drop-data", is_flag=True, help="Take its tables away as well, for good.")
@click.option("--force", is_flag=True, help="Also if other packs need it.")
@with_host
async def uninstall(host: Host, name: str, *, yes: bool, drop_data: bool, force: bool) -> None:
    """Uninstall a pack. Its data is kept, and is there again when it is installed again."""
    distribution = _distribution(name)
    pack = await host.lineup.load(name) if drop_data else None
    tables = ", ".join(sorted(pack.tables.metadata.tables)) if pack is not None and pack.tables else ""
    if tables:
        click.echo(f"With it go its tables and all that is in them: {tables}.")
    confirm(f"Uninstall {distribution}?", yes=yes)
    await host.disable(name, force=force)
    if pack is not None:
        await drop(host, pack)
    pip.uninstall(distribution)
    if drop_data:  # only now: a server that finds it installed, and knows nothing of it, would load it
        await forget(host.database, name)
    kept = "Nothing of it was kept but history." if drop_data else "Its data is kept."
    click.echo(f"{name} is uninstalled. {kept}")


def _distribution(name: str) -> str:
    found = lifecycle.scan()
    entry = found.get(name)
    if not isinstance(entry, EntryPoint) or entry.dist is None:
        raise NotFound(f"no pack {name!r} is installed{nearest(name, found)}")
    others = [each.name for each in entry.dist.entry_points.select(group=lifecycle.GROUP) if each.name != name]
    if others:
        raise PluginError(f"{entry.dist.name} has other packs as well, which would go with it: {', '.join(others)}")
    return entry.dist.name
