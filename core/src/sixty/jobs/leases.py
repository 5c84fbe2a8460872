"""Leases: how one worker takes jobs, keeps them while they run, and gives them out of its hands. No job runs here.

A job that runs is leased to a worker for a while, which renews the lease. Whoever lets it end has lost the job: it is
taken over by another, and what the first one says of it no longer counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.ids import new_id
from sixty.storage.columns import Id, Instant, Json
from sixty.storage.functions import each
from sixty.storage.statements import Write
from sixty.tables import jobs, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sixty.storage.database import Database
    from sixty.storage.statements import Row

__all__ = ["LEASE", "Leases", "Outlook"]

LEASE = timedelta(seconds=10)
"""How long a job is a worker's own without a word from it."""
ABANDONED = "the process that ran it ended, or did not answer for too long"
"""The error of a job that was taken over."""

# spelt as the partial indexes spell them: neither database would recognize a bound value
_WAITING, _RUNNING = (jobs.c.state == sa.literal_column(f"'{name}'") for name in ("waiting", "running"))

_now: sa.BindParameter[Any] = sa.bindparam("now", type_=Instant)
_holder: sa.BindParameter[Any] = sa.bindparam("holder", type_=Id)
_FREE: dict[str, Any] = {"leased_by": None, "leased_until": None}


def _outlook() -> sa.Select[Any]:
    """Each queue in which something waits, by one seek in the index for each; and a row without one at the end."""
    queues = sa.select(sa.func.min(jobs.c.queue).label("queue")).where(_WAITING).cte("queues", recursive=True)
    following = sa.select(sa.func.min(jobs.c.queue)).where(_WAITING, jobs.c.queue > queues.c.queue)
    queues = queues.union_all(sa.select(following.scalar_subquery()).where(queues.c.queue.is_not(None)))
    earliest = sa.select(sa.func.min(jobs.c.due_at)).where(_WAITING, jobs.c.queue == queues.c.queue)
    return sa.select(
        queues.c.queue,
        earliest.scalar_subquery().label("first"),
        earliest.where(jobs.c.due_at > _now).scalar_subquery().label("later"),
        sa.select(sa.func.min(jobs.c.leased_until)).where(_RUNNING).scalar_subquery().label("lease"),
    )


def _due() -> sa.Select[Any]:
    """The jobs of a queue that may run now: none waits behind another of its lane, or beside one that runs."""
    other = jobs.alias("other")
    busy = sa.select(other.c.lane).where(other.c.state == sa.literal_column("'running'"), other.c.lane.is_not(None))
    # the first entry from that lane on is its own: with `=`, Postgres might walk through all jobs in the order of `seq`
    head = sa.select(other.c.seq).where(other.c.lane >= jobs.c.lane, other.c.finished_at.is_(None))
    head = head.order_by(other.c.lane, other.c.seq).limit(1).correlate(jobs)
    return (
        sa.select(jobs.c.seq)
        .where(
            jobs.c.queue == sa.bindparam("queue_"),
            _WAITING,
            jobs.c.due_at <= _now,
            jobs.c.name.in_(each(sa.bindparam("names", type_=Json)).texts()),
            sa.or_(jobs.c.lane.is_(None), sa.and_(jobs.c.lane.not_in(busy), jobs.c.seq == head.scalar_subquery())),
        )
        .order_by(jobs.c.due_at, jobs.c.seq)
        .limit(sa.bindparam("room", type_=sa.Integer))
        .correlate(None)
    )


_OUTLOOK, _DUE = _outlook(), _due()
_TURN = sa.select(state.c.value).where(state.c.name == "jobs").with_for_update()
"""Whoever takes jobs holds this row meanwhile, so that what they see of lanes is true. SQLite has one writer anyway."""
_TAKE = (
    sa.update(jobs)
    .where(jobs.c.seq.in_(_DUE))
    .values(
        state="running",
        leased_by=_holder,
        leased_until=sa.bindparam("until", type_=Instant),
        attempts=jobs.c.attempts + 1,
    )
    .returning(*jobs.c)
)
_held = each(sa.bindparam("seqs", type_=Json)).texts().subquery()
_RENEW = (
    sa.update(jobs)
    .where(
        jobs.c.seq.in_(sa.select(sa.cast(_held.c.value, sa.BigInteger))),
        _RUNNING,
        jobs.c.leased_by == _holder,
    )
    .values(leased_until=sa.bindparam("until", type_=Instant))
    .returning(jobs.c.seq)
)
_TAKE_OVER = (
    sa.update(jobs).where(_RUNNING, jobs.c.leased_until < _now).values(state="waiting", error=ABANDONED, **_FREE)
)
_LEASE_ANEW = sa.update(jobs).where(_RUNNING).values(leased_until=sa.bindparam("until", type_=Instant))
_DUE_ANEW = (
    sa.update(jobs)
    .where(jobs.c.finished_at.is_(None), jobs.c.due_at == jobs.c.created_at, jobs.c.due_at > _now)
    .values(due_at=_now)
)
_HAND_BACK = (
    sa.update(jobs)
    .where(_RUNNING, jobs.c.leased_by == _holder)
    .values(state="waiting", attempts=jobs.c.attempts - 1, **_FREE)
)
_mine = sa.and_(
    jobs.c.id == sa.bindparam("job", type_=Id),
    _RUNNING,
    jobs.c.leased_by == _holder,
    jobs.c.attempts == sa.bindparam("attempt"),
)
_error: sa.BindParameter[Any] = sa.bindparam("why", type_=sa.Text)
_due_at: sa.BindParameter[Any] = sa.bindparam("due", type_=Instant)
_FINISH = (
    sa.update(jobs)
    .where(_mine)
    .values(state=sa.bindparam("outcome", type_=sa.String), error=_error, finished_at=_now, **_FREE)
)
_PUT_OFF = sa.update(jobs).where(_mine).values(state="waiting", error=_error, due_at=_due_at, **_FREE)
_PUT_OFF_LANE = (
    sa.update(jobs)
    .where(
        jobs.c.lane == sa.bindparam("lane_"),
        jobs.c.finished_at.is_(None),
        jobs.c.seq > sa.bindparam("seq_"),
        jobs.c.due_at < _due_at,
        _WAITING,
    )
    .values(due_at=_due_at)
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is to do."""

    due: tuple[str, ...]
    """The queues in which something is due, whatever waits longest first."""
    following: datetime | None
    """When something falls due, or a lease ends, that does not yet."""
    abandoned: bool
    """Whether a lease has ended."""


class Leases:
    """What one worker holds."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._holder = new_id()

    async def outlook(self) -> Outlook:
        """What there is to do, seen without taking anything."""
        now = self._clock()
        rows = await self._database.rows(_OUTLOOK, {"now": now})
        waiting = [row for row in rows if row["queue"] is not None]
        due = sorted((row["first"], row["queue"]) for row in waiting if row["first"] <= now)
        lease = rows[0]["lease"]
        abandoned = lease is not None and lease < now
        coming = [row["later"] for row in waiting if row["later"] is not None]
        if lease is not None and not abandoned:
            coming.append(lease)
        return Outlook(tuple(queue for _, queue in due), min(coming, default=None), abandoned)

    async def take(self, rooms: Mapping[str, int], names: Iterable[str]) -> list[Row]:
        """Jobs of these names, as many of each queue as there is room for; the oldest first. They are leased."""
        now, known = self._clock(), sorted(names)
        wanted = []
        for queue, room in rooms.items():
            values = {"queue_": queue, "room": room, "names": known, "now": now}
            if await self._database.rows(_DUE, values):  # who finds nothing writes nothing, and wakes nobody
                wanted.append({**values, "holder": self._holder, "until": now + LEASE})
        if not wanted:
            return []
        async with self._database.transaction() as transaction:
            await transaction.rows(_TURN)
            taken = [row for values in wanted for row in await transaction.rows(_TAKE, values)]
        return sorted(taken, key=lambda row: row["seq"])

    async def renew(self, seqs: Iterable[int]) -> set[int]:
        """Those of these jobs that are still this worker's, which they are for another while."""
        values = {"seqs": [str(seq) for seq in seqs], "holder": self._holder, "until": self._clock() + LEASE}
        async with self._database.transaction() as transaction:
            return {row["seq"] for row in await transaction.rows(_RENEW, values)}

    async def take_over(self) -> None:
        """What somebody has let go of waits for whoever comes; the try counts."""
        await self._database.apply([Write(_TAKE_OVER, {"now": self._clock()})])

    async def begin_anew(self) -> None:
        """Whoever holds a job has time to say so, and what was left to be done at once is due: the clock was set."""
        now = self._clock()
        await self._database.apply([Write(_LEASE_ANEW, {"until": now + LEASE}), Write(_DUE_ANEW, {"now": now})])

    async def hand_back(self) -> None:
        """What this worker holds waits again, as if it had not been tried."""
        await self._database.apply([Write(_HAND_BACK, {"holder": self._holder})])

    def finished(self, row: Row, outcome: str, error: str | None = None) -> list[Write]:
        """What makes a job done, or failed. It must touch one row: a lost lease settles nothing."""
        values = {**self._key(row), "outcome": outcome, "why": error, "now": self._clock()}
        return [Write(_FINISH, values, expect=1, row=("jobs", row["id"]))]

    def put_off(self, row: Row, due_at: datetime, error: str) -> list[Write]:
        """What makes a job, and with it those behind it in its lane, wait until then; likewise."""
        writes = [Write(_PUT_OFF, {**self._key(row), "why": error, "due": due_at}, expect=1, row=("jobs", row["id"]))]
        if row["lane"] is not None:
            writes.append(Write(_PUT_OFF_LANE, {"lane_": row["lane"], "seq_": row["seq"], "due": due_at}))
        return writes

    def _key(self, row: Row) -> dict[str, Any]:
        return {"job": row["id"], "holder": self._holder, "attempt": row["attempts"]}
