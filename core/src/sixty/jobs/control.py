"""What an operator sees of jobs, and how they are tried again or called off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sixty.errors import Conflict, NotFound
from sixty.jobs.ticking import following
from sixty.storage.columns import Id, Instant
from sixty.storage.database import StaleWrite
from sixty.storage.statements import Write
from sixty.tables import jobs
from sixty.values import is_id

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.host import Host
    from sixty.storage.database import Database
    from sixty.storage.statements import Row

__all__ = ["STATES", "State", "again", "cancel", "find", "newest", "retry"]

State = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled")

_now: sa.BindParameter[Any] = sa.bindparam("now", type_=Instant)
_ONE = sa.select(jobs).where(jobs.c.id == sa.bindparam("job", type_=Id))
_as_seen = sa.and_(
    jobs.c.id == sa.bindparam("job", type_=Id),
    jobs.c.state == sa.bindparam("seen"),
    jobs.c.attempts == sa.bindparam("tried"),
)
_RETRY = sa.update(jobs).where(_as_seen).values(state="waiting", due_at=_now, attempts=0, finished_at=None)
_RETRY_LANE = (
    sa.update(jobs)
    .where(
        jobs.c.lane == sa.bindparam("lane_"),
        jobs.c.finished_at.is_(None),
        jobs.c.seq > sa.bindparam("seq_"),
        jobs.c.state == "waiting",
        jobs.c.due_at == sa.bindparam("was", type_=Instant),  # they were put off together
    )
    .values(due_at=_now)
)
_CANCEL = sa.update(jobs).where(_as_seen).values(state="cancelled", finished_at=_now)


async def newest(
    database: Database, *, state: State | None = None, name: str | None = None, queue: str | None = None, limit: int
) -> list[Row]:
    """The newest jobs in this state, of this name and in this queue; the newest first."""
    statement = sa.select(jobs).order_by(jobs.c.seq.desc()).limit(limit)
    for column, value in ((jobs.c.state, state), (jobs.c.name, name), (jobs.c.queue, queue)):
        if value is not None:
            statement = statement.where(column == sa.literal(value))
    return await database.rows(statement)


async def find(database: Database, job_id: str) -> Row:
    """The job. `NotFound` if there is none, or none any more."""
    found = await database.rows(_ONE, {"job": job_id.lower()}) if is_id(job_id) else []
    if not found:
        raise NotFound(f"there is no job {job_id[:64]!r}; `sixty jobs list` shows the newest", id=job_id[:64])
    return found[0]


async def retry(host: Host, job_id: str) -> Row:
    """The job as it was; it is due now, with all its tries before it, and so is what it held up in its lane.

    Raises `NotFound`, and `Conflict` for one that runs or is done.
    """
    row, now = await find(host.database, job_id), host.clock()
    if row["state"] in ("running", "done"):
        what = "runs at this moment" if row["state"] == "running" else "is done"
        raise Conflict(f"the job {row['id']} {what}: only what waits, has failed or is cancelled can be tried again")
    writes = [again(row, now)]
    if row["lane"] is not None and row["state"] == "waiting":
        held_up = {"lane_": row["lane"], "seq_": row["seq"], "was": row["due_at"], "now": now}
        writes.append(Write(_RETRY_LANE, held_up))
    await _apply(host, row, writes)
    host.worker.wake()
    return row


async def cancel(host: Host, job_id: str) -> Row:
    """The job as it was; it is not done. What a schedule does is left out this once.

    Raises `NotFound`, and `Conflict` for one that does not wait.
    """
    row, now = await find(host.database, job_id), host.clock()
    if row["state"] != "waiting":
        what = "runs at this moment, and cannot be stopped" if row["state"] == "running" else f"is {row['state']}"
        raise Conflict(f"the job {row['id']} {what}: only what waits can be cancelled")
    writes = [Write(_CANCEL, {**_seen(row), "now": now}, expect=1), *following(host, host.registry, row)]
    await _apply(host, row, writes)
    host.worker.wake()  # somebody may have waited for it
    return row


def again(row: Row, now: datetime) -> Write:
    """The write by which a job that does not run waits once more, with all its tries before it."""
    return Write(_RETRY, {**_seen(row), "now": now}, expect=1)


def _seen(row: Row) -> dict[str, Any]:
    return {"job": row["id"], "seen": row["state"], "tried": row["attempts"]}


async def _apply(host: Host, row: Row, writes: list[Write]) -> None:
    try:
        await host.database.apply(writes)
    except StaleWrite:
        raise Conflict(f"the job {row['id']} has moved on at this moment; look at it again") from None
