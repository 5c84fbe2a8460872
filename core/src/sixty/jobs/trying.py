"""One try of a job: it is done, it is put off to the next try of its plan, or it has failed for good."""

from __future__ import annotations

import logging
import random
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sixty.deadlines import on_loop
from sixty.errors import OperatorError, RateLimited, SixtyError
from sixty.jobs.job import GiveUp, RetryLater
from sixty.jobs.ticking import following
from sixty.jobs.work import Work

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.jobs.job import Job
    from sixty.jobs.leases import Leases
    from sixty.registry import Registry
    from sixty.storage.statements import Row, Write

__all__ = ["settling"]

JITTER = 0.1
"""By how much of itself a pause may be longer, so that what failed together is not tried again together."""
LONGEST = 4_000
"""Characters of an error that are kept."""

_logger = logging.getLogger(__name__)


async def settling(host: Host, registry: Registry, leases: Leases, row: Row) -> list[Write]:
    """Try a job; the writes that say what came of it."""
    pack, job = registry.jobs[row["name"]]
    work = Work(
        id=row["id"],
        name=row["name"],
        attempt=row["attempts"],
        enqueued_at=row["created_at"],
        user_id=row["user_id"],
        call_id=row["call_id"],
        host=host,
        pack=pack,
        error=row["error"],
    )
    plan, pause = job.plan(host), None
    try:
        work = replace(work, args=job.parse(row["payload"], {"now": work.now, "timezone": host.timezone}))
        if work.attempt > len(plan) + 1:  # the last of them ended with the process that ran it
            raise GiveUp(row["error"])  # noqa: TRY301 - as the job would
        with host.tracing.job(row) if host.tracing is not None else nullcontext():
            await on_loop(job.handler(work.args, work), job.timeout)
    except GiveUp as error:
        why = str(error) or "it gave up"
    except Exception as error:
        why = _told(error)
        pause = _pause(plan, work.attempt, error)
        _logger.warning(
            "the job %s (%s) failed in its try %d: %s", work.id, work.name, work.attempt, why, exc_info=_is_bug(error)
        )
    else:
        return [*leases.finished(row, "done"), *following(host, registry, row)]
    why = why[:LONGEST]
    if pause is not None:
        return leases.put_off(row, host.clock() + timedelta(seconds=pause), why)
    await _fail(job, replace(work, error=why))
    return [*leases.finished(row, "failed", why), *following(host, registry, row)]


def _pause(plan: tuple[float, ...], attempt: int, error: Exception) -> float | None:
    """Seconds until the next try, or None if there is none."""
    if attempt > len(plan):
        return None
    if isinstance(error, RetryLater):
        return error.seconds
    planned = plan[attempt - 1]
    if isinstance(error, RateLimited):
        planned = max(planned, float(error.retry_after))
    return planned * random.uniform(1, 1 + JITTER)  # noqa: S311 - nobody need be unable to guess it


async def _fail(job: Job, work: Work) -> None:
    _logger.error("the job %s (%s) has failed for good: %s", work.id, work.name, work.error)
    if job.failed is None or work.args is None:
        return
    try:
        await on_loop(job.failed(work.args, work), job.timeout)
    except Exception:
        _logger.exception("what the job %s does once it has failed has failed as well", work.name)


def _told(error: Exception) -> str:
    """An error in words; its class too, where it is none that is meant to be read."""
    return f"{type(error).__name__}: {error}" if _is_bug(error) else str(error)


def _is_bug(error: Exception) -> bool:
    return not isinstance(error, SixtyError | OperatorError | RetryLater)
