"""The command `sixty`. Each command is a module of its own, imported only when it is the one that was typed.

Packs add theirs by entry points in the group `sixty.commands`; the core's own come first and keep their names.
"""

from __future__ import annotations

import gc
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from sixty.errors import OperatorError, SixtyError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "cli", "main"]

GROUP = "sixty.commands"
"""The entry point group of the commands of packs: the word that is typed, and the click command."""

COMMANDS = {
    "serve": "sixty.cli.serve:serve",
    "demo": "sixty.cli.demo:demo",
    "user": "sixty.cli.user:user",
    "grant": "sixty.cli.grant:grant",
    "team": "sixty.cli.team:team",
    "token": "sixty.cli.token:token",
    "key": "sixty.cli.key:key",
    "webhooks": "sixty.cli.webhooks:webhooks",
    "plugins": "sixty.cli.plugins:plugins",
    "tools": "sixty.cli.tools:tools",
    "call": "sixty.cli.call:call",
    "import": "sixty.cli.importing:import_",
    "export": "sixty.cli.exporting:export",
    "explain": "sixty.cli.explain:explain",
    "db": "sixty.cli.db:db",
    "backup": "sixty.cli.backup:backup",
    "backups": "sixty.cli.backup:backups",
    "restore": "sixty.cli.restore:restore_",
    "jobs": "sixty.cli.jobs:jobs",
    "audit": "sixty.cli.audit:audit",
    "erase": "sixty.cli.erase:erase",
}
"""Where each command is, in the order in which help shows them."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*_own(), *_added()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name in _own():
            module, _, name = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        entry = _added().get(cmd_name)
        return None if entry is None else _loaded(entry)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SixtyError, OperatorError) as error:
            raise click.ClickException(str(error)) from error


def _own() -> list[str]:
    """The commands of the core; a part that is not installed has none."""
    return [name for name, path in COMMANDS.items() if find_spec(path.partition(":")[0]) is not None]


def _added() -> dict[str, EntryPoint]:
    """The commands that packs add, by name. None takes the place of one of the core's, installed or not."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return {entry.name: entry for entry in found if entry.name not in COMMANDS}


def _loaded(entry: EntryPoint) -> click.Command:
    """The command of a pack, or one in its place that says what is wrong with it: help still shows all others."""
    try:
        command = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a pack does while it is imported
        return _broken(entry, f"{type(error).__name__}: {error}")
    return command if isinstance(command, click.Command) else _broken(entry, "it is no click command")


def _broken(entry: EntryPoint, reason: str) -> click.Command:
    whose = f" of {entry.dist.name}" if entry.dist is not None else ""
    told = f"the command `{entry.name}`{whose} cannot be loaded from {entry.value}: {reason}"

    def refuse() -> None:
        raise click.ClickException(told)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    short = "(cannot be loaded; type it to see why)"
    return click.Command(entry.name, callback=refuse, help=told, short_help=short, context_settings=anything)


@click.group(cls=_Commands)
@click.version_option(package_name="sixty-core", prog_name="sixty")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Sixty: a sales CRM for AI agents.

    Settings are environment variables with the prefix SIXTY_, or keys of the TOML file that SIXTY_CONFIG names.
    """
    if ctx.invoked_subcommand != "serve":  # which lets the collector begin once it serves
        gc.enable()


def main() -> None:
    """Run the command line and exit: 0 if it went well, 1 if it did not, 2 if it was not understood."""
    cli(prog_name="sixty")
