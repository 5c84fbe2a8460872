"""The core's own job of each night: what nobody can use any more is removed, a little at a time."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.idempotency import MEMORY
from sixty.jobs.job import Nothing, job
from sixty.jobs.schedule import Schedule
from sixty.jobs.work import Work
from sixty.storage.columns import Instant
from sixty.tables import idempotency, jobs, webhooks

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.host import Host
    from sixty.storage.statements import Statement

__all__ = ["CLEARING", "clear_expired", "expired"]

AT_ONCE = 1_000
"""Rows that one transaction removes, so that nobody waits for it."""

_before: sa.BindParameter[Any] = sa.bindparam("before", type_=Instant)
_at_once: sa.BindParameter[Any] = sa.bindparam("at_once", type_=sa.Integer)
_old_jobs = sa.select(jobs.c.seq).where(jobs.c.finished_at < _before).order_by(jobs.c.seq).limit(_at_once)
_old_keys = sa.select(idempotency.c.user_id, idempotency.c.key).where(idempotency.c.at < _before).limit(_at_once)
_REMOVE_JOBS = sa.delete(jobs).where(jobs.c.seq.in_(_old_jobs.correlate(None)))
_REMOVE_KEYS = sa.delete(idempotency).where(
    sa.tuple_(idempotency.c.user_id, idempotency.c.key).in_(_old_keys.correlate(None))
)
_REMOVE_SECRETS = (
    sa.update(webhooks).where(webhooks.c.previous_until < _before).values(previous_secret=None, previous_until=None)
)

_logger = logging.getLogger(__name__)


@job("clear_expired")
async def clear_expired(args: Nothing, work: Work) -> None:  # noqa: ARG001 - every job has arguments
    """Remove what became of jobs that ended long ago, idempotency keys, and secrets that webhooks had before."""
    for what, (statement, before) in expired(work.host, work.now).items():
        removed, count = AT_ONCE, 0
        while removed == AT_ONCE:
            async with work.host.database.transaction() as transaction:
                removed = await transaction.execute(statement, {"before": before, "at_once": AT_ONCE})
            count += removed
        if count:
            _logger.info("%d expired %s are gone", count, what)


def expired(host: Host, now: datetime) -> dict[str, tuple[Statement, datetime]]:
    """What expires: by its name, the write that removes some of what is older than a moment, and that moment."""
    return {
        "jobs": (_REMOVE_JOBS, now - timedelta(days=host.settings.jobs_keep_days)),
        "idempotency keys": (_REMOVE_KEYS, now - MEMORY),
        "secrets of webhooks": (_REMOVE_SECRETS, now),
    }


CLEARING = Schedule("clearing", cron="17 3 * * *", job=clear_expired)
