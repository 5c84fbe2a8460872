"""`sixty call`: one tool call, as any other transport makes it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from sixty.call import call_tool
from sixty.cli.opening import active, exit_with, with_host
from sixty.cli.output import print_json
from sixty.operator import operator
from sixty.request import Request

if TYPE_CHECKING:
    from sixty.directory import Principal
    from sixty.host import Host

__all__ = ["call", "caller"]


def _arguments(_context: click.Context, _parameter: click.Parameter, value: str) -> dict[str, Any]:
    text = sys.stdin.read() if value == "-" else value
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"this is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise click.BadParameter('the arguments are a JSON object, such as {"limit": 5}')
    return arguments


@click.command()
@click.argument("tool")
@click.argument("arguments", metavar="[JSON]", default="{}", callback=_arguments)
@click.option("--user", "email", metavar="EMAIL", help="Who calls; by default whoever SIXTY_TOKEN belongs to.")
@with_host
async def call(host: Host, tool: str, arguments: dict[str, Any], email: str | None) -> None:
    """Call a TOOL with arguments in JSON (- reads them from standard input), and print its answer as JSON.

    The exit status is 1 if the tool refused.
    """
    principal = await caller(host, email)
    outcome = await call_tool(host, Request(tool, arguments, principal, transport="cli", client=operator()))
    print_json(json.loads(outcome.text))
    if outcome.is_error:
        exit_with(1)


async def caller(host: Host, email: str | None) -> Principal:
    """Who calls. Raises what is wrong with the address or the credential."""
    if email is not None:
        return active(await host.identity.directory(), email)
    if host.settings.token is None:
        raise click.UsageError("say who calls: --user EMAIL, or a credential in SIXTY_TOKEN")
    return await host.authenticator.authenticate(host.settings.token)
