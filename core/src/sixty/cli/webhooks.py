"""`sixty webhooks`: who is told of which events, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sixty.call import call_tool
from sixty.cli.opening import active, one_user, with_host
from sixty.cli.output import as_json, print_json, show
from sixty.directory import Principal
from sixty.errors import NotFound, raised
from sixty.operator import operator
from sixty.permissions import Grant
from sixty.request import Request
from sixty.webhooks import failures, managing, trying
from sixty.webhooks.shown import WebhookShown

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.tools import Tool
    from sixty.webhooks.subscriptions import Webhook

__all__ = ["webhooks"]

_SHORT = ("id", "email", "url", "events", "state", "disabled_reason")

one_id = click.argument("webhook_id", metavar="ID")


@click.group()
def webhooks() -> None:
    """Have events sent to URLs, and see what became of them."""


@webhooks.command()
@click.argument("email")
@click.argument("url")
@click.argument("events", nargs=-1, required=True, metavar="EVENT...")
@click.option("--description", help="What it is for.")
@with_host
async def add(host: Host, email: str, url: str, events: tuple[str, ...], description: str | None) -> None:
    """Send events to a URL, as far as this user may read what they are about, and print the secret, this once.

    An EVENT is a name such as deal.won, all of a kind such as 'deal.*', or '*'.
    """
    subscriber = active(await host.identity.directory(), email)
    given = {"url": url, "events": list(events)} | ({"description": description} if description is not None else {})
    made, secret = await _called(host, subscriber, managing.create_webhook, given)
    click.echo(secret)
    click.echo(f"Keep it: it is not shown again. The webhook has the id {made['id']}.", err=True)


@webhooks.command("list")
@click.argument("email", required=False)
@as_json
@with_host
async def list_(host: Host, email: str | None, *, as_json: bool) -> None:
    """List webhooks, of one user or of all; never their secrets."""
    directory = await host.identity.directory()
    wanted = None if email is None else one_user(directory, email).id
    found = [webhook for webhook in directory.webhooks.values() if wanted in (None, webhook.user_id)]
    rows = [_row(webhook, directory.users[webhook.user_id].email) for webhook in found]
    if not as_json:
        rows = [{name: row[name] for name in _SHORT} | {"events": " ".join(row["events"])} for row in rows]
    show(rows, as_json=as_json, empty="There are no webhooks; `sixty webhooks add EMAIL URL EVENT` makes one.")


@webhooks.command("show")
@one_id
@with_host
async def show_(host: Host, webhook_id: str) -> None:
    """Show all that is known of a webhook, but its secrets, as JSON."""
    webhook, _ = await _found(host, webhook_id)
    directory = await host.identity.directory()
    print_json(_row(webhook, directory.users[webhook.user_id].email))


@webhooks.command()
@one_id
@with_host
async def remove(host: Host, webhook_id: str) -> None:
    """Send no more events to it, and forget it."""
    click.echo(await _done(host, webhook_id, managing.delete_webhook))


@webhooks.command()
@one_id
@with_host
async def enable(host: Host, webhook_id: str) -> None:
    """Send events from now on; `replay` sends what had failed."""
    click.echo(await _done(host, webhook_id, managing.update_webhook, state="active"))


@webhooks.command()
@one_id
@with_host
async def disable(host: Host, webhook_id: str) -> None:
    """Send no more events, until it is enabled."""
    click.echo(await _done(host, webhook_id, managing.update_webhook, state="disabled"))


@webhooks.command()
@one_id
@with_host
async def rotate(host: Host, webhook_id: str) -> None:
    """Make a new secret and print it, this once. For 24 hours the one before signs, too."""
    webhook, operator = await _found(host, webhook_id)
    _, secret = await _called(host, operator, managing.rotate_webhook, {"id": webhook.id})
    click.echo(secret)


@webhooks.command()
@one_id
@with_host
async def test(host: Host, webhook_id: str) -> None:
    """Send the event webhook.test to it."""
    click.echo(await _done(host, webhook_id, trying.try_webhook))


@webhooks.command("failures")
@one_id
@as_json
@with_host
async def failures_(host: Host, webhook_id: str, *, as_json: bool) -> None:
    """List what did not arrive in any try, the newest first."""
    webhook, operator = await _found(host, webhook_id)
    found, _ = await _called(host, operator, failures.list_webhook_failures, {"id": webhook.id})
    show(found["failures"], as_json=as_json, empty="Nothing has failed.")


@webhooks.command()
@one_id
@click.argument("job_ids", nargs=-1, metavar="[JOB...]")
@click.option("--since", metavar="TIME", help="Only what happened since then, such as 2027-03-31T14:00:00Z.")
@with_host
async def replay(host: Host, webhook_id: str, job_ids: tuple[str, ...], since: str | None) -> None:
    """Send again what did not arrive: these JOBs, or all that failed."""
    given: dict[str, Any] = {"job_ids": list(job_ids)} if job_ids else {}
    if since is not None:
        given["since"] = since
    click.echo(await _done(host, webhook_id, failures.replay_webhook, **given))


async def _found(host: Host, webhook_id: str) -> tuple[Webhook, Principal]:
    """The webhook, and who acts here: the operator, in the name of the subscriber, and whatever that one may."""
    directory = await host.identity.directory()
    webhook = directory.webhooks.get(webhook_id.lower())
    if webhook is None:
        raise NotFound(f"there is no webhook with the id {webhook_id[:80]!r}; `sixty webhooks list` shows them")
    user = directory.users[webhook.user_id]
    grants = (Grant.parse(managing.PERMISSION),)
    return webhook, Principal(user.id, user.email, user.name, user.role, user.team_id, grants)


async def _done(host: Host, webhook_id: str, tool: Tool, **arguments: Any) -> str:
    """What a call about one webhook says."""
    webhook, operator = await _found(host, webhook_id)
    answer, _ = await _called(host, operator, tool, {"id": webhook.id, **arguments})
    return f"{answer['message']}."


async def _called(
    host: Host, principal: Principal, tool: Tool, arguments: dict[str, Any]
) -> tuple[dict[str, Any], str | None]:
    """The answer to a call, and the secret that it came with."""
    outcome = await call_tool(
        host, Request(tool.name, arguments, principal, transport="cli", client=operator(), offer=tool)
    )
    if outcome.is_error:
        error = outcome.structured["error"]
        raise raised(error) or click.ClickException(error["message"])
    return outcome.structured, outcome.blocks[0]["text"] if outcome.blocks else None


def _row(webhook: Webhook, email: str) -> dict[str, Any]:
    shown = WebhookShown.model_validate(webhook).model_dump()
    return {"id": shown.pop("id"), "email": email, **shown}
