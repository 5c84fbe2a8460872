"""The command `sixty`. Each command is a module of its own, imported only when it is the one that was typed."""

from __future__ import annotations

import gc
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from sixty.errors import OperatorError, SixtyError

__all__ = ["cli", "main"]

COMMANDS = {
    "serve": "sixty.cli.serve:serve",
    "demo": "sixty.cli.demo:demo",
    "user": "sixty.cli.user:user",
    "grant": "sixty.cli.grant:grant",
    "team": "sixty.cli.team:team",
    "token": "sixty.cli.token:token",
    "key": "sixty.cli.key:key",
    "plugins": "sixty.cli.plugins:plugins",
    "tools": "sixty.cli.tools:tools",
    "call": "sixty.cli.call:call",
    "import": "sixty.cli.importing:import_",
    "export": "sixty.cli.exporting:export",
    "explain": "sixty.cli.explain:explain",
    "db": "sixty.cli.db:db",
    "audit": "sixty.cli.audit:audit",
}
"""Where each command is, in the order in which help shows them."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, path in COMMANDS.items() if find_spec(path.partition(":")[0]) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SixtyError, OperatorError) as error:
            raise click.ClickException(str(error)) from error


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
