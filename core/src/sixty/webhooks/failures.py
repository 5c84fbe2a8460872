"""What did not arrive in any try, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from pydantic import BaseModel, Field

from sixty.context import Call
from sixty.errors import Conflict, NotFound
from sixty.jobs.control import again
from sixty.storage.columns import Instant
from sixty.tables import jobs
from sixty.tools import tool
from sixty.values import Moment, RecordId, Result, ShownId, counted
from sixty.webhooks.delivering import queue_of
from sixty.webhooks.managing import PERMISSION, OneWebhook, one_of

__all__ = ["list_webhook_failures", "replay_webhook"]

MOST = 200
"""Failures that are shown, and that are named to be sent again, at once."""

_of_webhook = (jobs.c.queue == sa.bindparam("of_queue"), jobs.c.state == "failed")
_newest = sa.select(jobs).where(*_of_webhook).order_by(jobs.c.seq.desc()).limit(MOST)
_since = (
    sa.select(jobs.c.id, jobs.c.state, jobs.c.attempts)
    .where(*_of_webhook, jobs.c.created_at >= sa.bindparam("since", type_=Instant))
    .order_by(jobs.c.seq)
)
_EVER = datetime.min.replace(tzinfo=UTC)


class Failure(BaseModel):
    """An event that did not arrive."""

    job_id: ShownId
    message_id: str
    """The `webhook-id` that it had, and will have."""
    event: str
    at: datetime
    """When it happened."""
    tries: int
    failed_at: datetime
    error: str


class Failures(Result):
    """The newest of them."""

    failures: list[Failure]


class ReplayWebhook(OneWebhook):
    """What is to be sent again: these, what happened since a moment, or without either all that failed."""

    job_ids: list[RecordId] = Field([], min_length=1, max_length=MOST)
    since: Moment | None = None


class Replayed(Result):
    """What waits again."""

    replayed: int


@tool("list_webhook_failures", permission=PERMISSION, effect="read")
async def list_webhook_failures(args: OneWebhook, call: Call) -> Failures:
    """List what did not arrive in any try, the newest first."""
    webhook = await one_of(call, args.id)
    rows = await call.rows(_newest, {"of_queue": queue_of(webhook.id)})
    failures = [
        Failure(
            job_id=row["id"],
            message_id=f"msg_{row['id']}",
            event=row["payload"]["event"],
            at=row["payload"]["at"],
            tries=row["attempts"],
            failed_at=row["finished_at"],
            error=row["error"] or "",
        )
        for row in rows
    ]
    return Failures(message=f"Found {counted(len(failures), 'failure')}", failures=failures)


@tool("replay_webhook", permission=PERMISSION, effect="update", rate="strict")
async def replay_webhook(args: ReplayWebhook, call: Call) -> Replayed:
    """Send again what did not arrive, with the same `webhook-id`."""
    webhook = await one_of(call, args.id)
    if webhook.state == "disabled":
        raise Conflict("the webhook is disabled; set its state to active first", id=webhook.id)
    rows = await call.rows(_since, {"of_queue": queue_of(webhook.id), "since": args.since or _EVER})
    failed = {row["id"]: row for row in rows}
    if unknown := set(args.job_ids) - set(failed):
        job_id = min(unknown)
        raise NotFound(f"no failure of this webhook has the job_id {job_id}; list its failures", id=job_id)
    wanted = dict.fromkeys(args.job_ids or failed)
    for job_id in wanted:
        call.unit.write(again(failed[job_id], call.now))
    call.unit.afterwards(call.host.worker.wake)
    return Replayed(message=f"{counted(len(wanted), 'event')} will be sent again", replayed=len(wanted))
