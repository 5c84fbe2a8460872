"""Sending an event to one receiver: a job that is tried again for three days, and then ends the subscription."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.errors import RateLimited, Unavailable
from sixty.jobs.job import GiveUp, job
from sixty.jobs.work import Work
from sixty.storage.columns import Id
from sixty.tables import records, webhooks
from sixty.values import Arguments, Moment, RecordId, counted
from sixty.webhooks.body import body_of
from sixty.webhooks.changes import changed
from sixty.webhooks.reading import may_read
from sixty.webhooks.signing import signed_headers
from sixty.webhooks.subscriptions import Webhook

if TYPE_CHECKING:
    from sixty.directory import Directory

__all__ = ["PLAN", "Delivery", "deliver", "queue_of"]

_MINUTE, _HOUR = 60, 3600
PLAN = (5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds before each further try, as Standard Webhooks proposes."""

_owner = sa.select(records.c.owner_id).where(records.c.id == sa.bindparam("key", type_=Id))
_one = sa.select(webhooks).where(webhooks.c.id == sa.bindparam("key", type_=Id))
_logger = logging.getLogger(__name__)


class Delivery(Arguments):
    """What is to be sent, and to whom."""

    webhook_id: RecordId
    event: str
    at: Moment
    """When it happened."""
    record_id: RecordId | None = None
    """None for what concerns no record."""
    kind: str | None = None
    data: dict[str, Any]


def queue_of(webhook_id: str) -> str:
    """Each receiver has a queue of its own: one that is slow keeps no other waiting."""
    return f"webhook:{webhook_id}"


async def give_up(args: Delivery, work: Work) -> None:
    """Disable the subscription, unless the receiver was never asked because the record's pack is away."""
    if args.kind is not None and args.kind not in work.host.registry.kinds:
        return
    async with work.host.database.transaction() as transaction:
        row = await transaction.row(_one, {"key": args.webhook_id})
        if row is None or row["state"] == "disabled":
            return
        webhook = Webhook.of(row)
        reason = f"{args.event} was not received in {counted(work.attempt, 'try')}: {work.error}"
        await transaction.apply(list(changed(webhook, webhook.disabled(reason, work.now))))
    _logger.warning("the webhook %s is disabled: %s", args.webhook_id, reason)


@job("deliver", retry=PLAN, timeout=_MINUTE, failed=give_up)
async def deliver(args: Delivery, work: Work) -> None:
    """Send an event to the receiver of a webhook, as long as its subscriber may read the record that it is about."""
    from sixty.webhooks.sending import post  # noqa: PLC0415 - only who sends needs an HTTP client

    host, now = work.host, work.now
    directory = await host.identity.directory()
    webhook = directory.webhooks.get(args.webhook_id)
    if webhook is None:
        return
    if webhook.state == "disabled":
        raise GiveUp("the webhook was disabled before this was sent")
    if not await _may_receive(args, work, directory, webhook.user_id):
        return
    body = body_of(args.event, args.at, args.data)
    headers = signed_headers(f"msg_{work.id}", now, body, webhook.secrets_at(now))
    answer = await post(webhook.url, body, headers, networks=host.settings.webhook_networks, now=now)
    if answer.is_received:
        return
    if answer.is_gone:
        raise GiveUp(answer.words)
    if answer.retry_after is not None:
        raise RateLimited(answer.words, answer.retry_after)
    raise Unavailable(answer.words)


async def _may_receive(args: Delivery, work: Work, directory: Directory, user_id: str) -> bool:
    """Whether the subscriber may read, now, what this is about: the record may have been given away since."""
    if args.record_id is None or args.kind is None:
        return directory.principal(user_id) is not None
    kind = work.host.registry.kinds.get(args.kind)
    if kind is None:
        raise Unavailable(f"no pack is here that knows what {args.kind!r} is, and who may read it")
    found = await work.host.database.rows(_owner, {"key": args.record_id})
    return bool(found) and may_read(directory, user_id, kind, found[0]["owner_id"])
