"""What subscribers do with their subscriptions, as calls: limited, authorized and audited like any other.

A new secret is attached to the answer, and stands in no result: results are kept for calls that are repeated under
their idempotency key, and a secret is shown once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from sixty.context import Call
from sixty.errors import Conflict, NotFound
from sixty.ids import new_id
from sixty.storage.columns import Id
from sixty.tables import webhooks
from sixty.tools import tool
from sixty.values import Arguments, RecordId, Result, Text, counted
from sixty.webhooks.addresses import address_of, target
from sixty.webhooks.changes import added, changed, removed
from sixty.webhooks.names import accepted_events, known_events
from sixty.webhooks.shown import WebhookResult, WebhookShown
from sixty.webhooks.signing import accepted_secret, new_secret
from sixty.webhooks.subscriptions import ALL, OVERLAP, State, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sixty.storage.statements import Write

__all__ = [
    "PERMISSION",
    "OneWebhook",
    "create_webhook",
    "delete_webhook",
    "get_webhook",
    "list_webhook_events",
    "list_webhooks",
    "one_of",
    "rotate_webhook",
    "update_webhook",
]

PERMISSION = "webhooks:manage"
MOST = 100
"""Subscriptions of one user: each costs whoever writes a little."""
PATTERNS = 50
"""Names of events in one subscription."""

_KEY = sa.bindparam("key", type_=Id)
_one = sa.select(webhooks).where(webhooks.c.id == _KEY)
_of_user = sa.select(webhooks.c.id).where(webhooks.c.user_id == _KEY)


class Nothing(Arguments):
    """All of them."""


class OneWebhook(Arguments):
    """One subscription."""

    id: RecordId


class CreateWebhook(Arguments):
    """A new subscription."""

    url: str
    events: list[Text] = Field(min_length=1, max_length=PATTERNS)
    description: Text | None = None
    secret: Any = None
    """Judged by `accepted_secret`, whose error does not quote it."""


class UpdateWebhook(OneWebhook):
    """What changes of a subscription: only the fields that are given."""

    url: str = ""
    events: list[Text] = Field([], min_length=1, max_length=PATTERNS)
    description: Text | None = None
    state: State = "active"


class Webhooks(Result):
    """Several subscriptions."""

    webhooks: list[WebhookShown]


class KnownEvent(BaseModel):
    """An event that can be subscribed to."""

    name: str
    description: str


class KnownEvents(Result):
    """All of them."""

    events: list[KnownEvent]


async def one_of(call: Call, webhook_id: str) -> Webhook:
    """The subscription, if the caller may manage it. Any other does not exist."""
    found = await call.rows(_one, {"key": webhook_id})
    if not found or not call.reaches(call.scopes(PERMISSION), found[0]["user_id"]):
        msg = f"there is no webhook {webhook_id} that you can see; list your webhooks to find the right id"
        raise NotFound(msg, id=webhook_id)
    return Webhook.of(found[0])


@tool("list_webhooks", permission=PERMISSION, effect="read")
async def list_webhooks(args: Nothing, call: Call) -> Webhooks:  # noqa: ARG001 - it lists all
    """List subscriptions, the oldest first."""
    scopes = call.scopes(PERMISSION)
    rows = [row for row in await call.rows(ALL) if call.reaches(scopes, row["user_id"])]
    found = [WebhookShown.model_validate(Webhook.of(row)) for row in rows]
    return Webhooks(message=f"Found {counted(len(found), 'webhook')}", webhooks=found)


@tool("get_webhook", permission=PERMISSION, effect="read")
async def get_webhook(args: OneWebhook, call: Call) -> WebhookResult:
    """Show a subscription."""
    webhook = await one_of(call, args.id)
    return WebhookResult.of(webhook, f"The webhook is {webhook.state}")


@tool("list_webhook_events", permission=PERMISSION, effect="read")
async def list_webhook_events(args: Nothing, call: Call) -> KnownEvents:  # noqa: ARG001 - it lists all
    """List the events that can be subscribed to."""
    events = known_events(call.registry).items()
    found = [KnownEvent(name=name, description=description) for name, description in events]
    return KnownEvents(message=f"Found {counted(len(found), 'event')}", events=found)


@tool("create_webhook", permission=PERMISSION, effect="create", open_world=True)
async def create_webhook(args: CreateWebhook, call: Call) -> WebhookResult:
    """Subscribe to events. The secret is attached."""
    events = accepted_events(call.registry, args.events)
    secret = new_secret() if args.secret is None else accepted_secret(args.secret)
    await address_of(target(args.url), call.host.settings.webhook_networks)
    webhook = Webhook(
        id=new_id(),
        user_id=call.principal.user_id,
        url=args.url,
        events=tuple(events),
        description=args.description,
        secret=secret,
        previous_secret=None,
        previous_until=None,
        state="active",
        disabled_reason=None,
        disabled_at=None,
        created_at=call.now,
        updated_at=call.now,
    )
    async with call.transaction() as step:
        if len(await step.rows(_of_user, {"key": webhook.user_id})) >= MOST:
            raise Conflict(f"you have {MOST} webhooks, and more cannot be had; delete one that is not needed")
        _write(step, added(webhook))
    call.attach(secret)
    return WebhookResult.of(webhook, f"{call.principal.email} is told of {', '.join(events)}")


@tool("update_webhook", permission=PERMISSION, effect="update", open_world=True)
async def update_webhook(args: UpdateWebhook, call: Call) -> WebhookResult:
    """Change where events go, or which, or whether any do."""
    if "url" in args.model_fields_set:
        await address_of(target(args.url), call.host.settings.webhook_networks)
    async with call.transaction() as step:
        before = await one_of(step, args.id)
        given = {name: getattr(args, name) for name in args.model_fields_set - {"id", "state"}}
        if "events" in given:
            given["events"] = tuple(accepted_events(call.registry, given["events"]))
        after = replace(before, **given, updated_at=call.now)
        if "state" in args.model_fields_set and args.state != before.state:
            after = after.enabled(call.now) if args.state == "active" else after.disabled("by hand", call.now)
        _write(step, changed(before, after))
    return WebhookResult.of(after, f"The webhook is {after.state}")


@tool("rotate_webhook", permission=PERMISSION, effect="update", rate="strict")
async def rotate_webhook(args: OneWebhook, call: Call) -> WebhookResult:
    """Take a new secret, which is attached; the one before signs on for a day."""
    webhook = await one_of(call, args.id)
    rotated = replace(
        webhook,
        secret=new_secret(),
        previous_secret=webhook.secret,
        previous_until=call.now + OVERLAP,
        updated_at=call.now,
    )
    _write(call, changed(webhook, rotated))
    call.attach(rotated.secret)
    return WebhookResult.of(rotated, "The webhook has a new secret; the one before signs as well for 24 hours")


@tool("delete_webhook", permission=PERMISSION, effect="destroy")
async def delete_webhook(args: OneWebhook, call: Call) -> Result:
    """End a subscription. What has not been sent is not sent any more."""
    webhook = await one_of(call, args.id)
    _write(call, removed(webhook))
    return Result(message="The webhook is deleted")


def _write(call: Call, writes: Iterable[Write]) -> None:
    for write in writes:
        call.unit.write(write)
