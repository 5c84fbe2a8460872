"""`sixty explain`: why somebody may or may not do something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sixty.call import call_tool
from sixty.cli.opening import active, exit_with, with_host
from sixty.cli.output import print_json
from sixty.operator import operator
from sixty.request import Request

if TYPE_CHECKING:
    from sixty.directory import Directory, Principal
    from sixty.host import Host

__all__ = ["explain"]


@click.command()
@click.argument("email")
@click.argument("tool", required=False)
@click.option("--record", "record_id", metavar="ID", help="A record that the user wants to read or change.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@with_host
async def explain(host: Host, email: str, tool: str | None, record_id: str | None, *, as_json: bool) -> None:
    """Say why the user with EMAIL may or may not call a TOOL, or read and change a record."""
    directory = await host.identity.directory()
    whom = active(directory, email)
    wanted = {"user_id": whom.user_id, "tool": tool, "record_id": record_id}
    request = Request(
        tool="explain_access",
        arguments={name: value for name, value in wanted.items() if value is not None},
        principal=_asker(directory, whom),
        transport="cli",
        client=operator(),
    )
    outcome = await call_tool(host, request)
    answer = outcome.structured
    if as_json:
        print_json(answer)
    elif outcome.is_error:
        click.echo(f"Error: {answer['error']['message']}", err=True)
    else:
        click.echo(answer["message"])
        for reason in answer["because"]:
            click.echo(f"  {reason}")
    if outcome.is_error:
        exit_with(1)


def _asker(directory: Directory, whom: Principal) -> Principal:
    """In whose name it is asked: an administrator sees every record; without one, the user themselves."""
    principals = [directory.principal(user_id) for user_id in directory.users]
    asking = (principal for principal in principals if principal is not None and principal.may("access:explain"))
    return next(asking, whom)
