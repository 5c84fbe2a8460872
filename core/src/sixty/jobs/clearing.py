"""The core's own job: what became of jobs long ago is removed, every night."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from sixty.jobs.job import job
from sixty.jobs.schedule import Schedule
from sixty.jobs.work import Work
from sixty.storage.columns import Instant
from sixty.tables import jobs
from sixty.values import Arguments

__all__ = ["EVERY_NIGHT", "remove_old_jobs"]

AT_ONCE = 1_000
"""Rows that one transaction removes, so that nobody waits for it."""

_old = sa.select(jobs.c.seq).where(jobs.c.finished_at < sa.bindparam("before", type_=Instant))
_REMOVE = sa.delete(jobs).where(jobs.c.seq.in_(_old.order_by(jobs.c.seq).limit(AT_ONCE).correlate(None)))


class Nothing(Arguments):
    pass


@job("remove_old_jobs")
async def remove_old_jobs(args: Nothing, work: Work) -> None:  # noqa: ARG001 - every job has arguments
    """Remove what became of jobs that ended long ago."""
    before = work.now - timedelta(days=work.host.settings.jobs_keep_days)
    removed = AT_ONCE
    while removed == AT_ONCE:
        async with work.host.database.transaction() as transaction:
            removed = await transaction.execute(_REMOVE, {"before": before})


EVERY_NIGHT = Schedule("every_night", cron="17 3 * * *", job=remove_old_jobs)
