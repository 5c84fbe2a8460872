"""The ticks of schedules: each is a job whose key names its time, so that however many processes make it, it is one.

A schedule has one tick that is still to come. Settling it makes the next one, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.jobs.enqueuing import enqueued
from sixty.jobs.ticks import next_tick
from sixty.storage.columns import Id
from sixty.storage.statements import Write
from sixty.tables import jobs

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.registry import Registry
    from sixty.storage.statements import Row

__all__ = ["following", "keep_ticks"]

_LANE = "schedule:"

_TICKS = sa.select(jobs.c.id, jobs.c.lane, jobs.c.key, jobs.c.state, jobs.c.attempts).where(
    jobs.c.lane.like(sa.literal_column(f"'{_LANE}%'")), jobs.c.finished_at.is_(None)
)
_REMOVE = sa.delete(jobs).where(jobs.c.id == sa.bindparam("job", type_=Id), jobs.c.state == "waiting")


def following(host: Host, registry: Registry, row: Row) -> list[Write]:
    """What makes the next tick, if a job is a tick of a schedule that serves."""
    lane, now = row["lane"] or "", host.clock()
    name = lane.removeprefix(_LANE)
    if name == lane or name not in registry.schedules:
        return []
    return [_tick(host, registry, name, max(now, _time(row)))]


async def keep_ticks(host: Host) -> None:
    """Each schedule that serves has its next tick, and none that is given up has one."""
    registry, now = host.registry, host.clock()
    pending: dict[str, list[Row]] = {}
    for row in await host.database.rows(_TICKS):
        pending.setdefault(row["lane"].removeprefix(_LANE), []).append(row)
    writes: list[Write] = []
    for name, schedule in registry.schedules.items():
        if not schedule.job.is_done_by(host):
            continue  # whoever can do it sees to it
        tick = _tick(host, registry, name, now)
        key = tick.values["key"]
        # those to come that its expression, or the time zone, no longer names
        wrong = [row for row in pending.get(name, ()) if _is_to_come(row, now) and row["key"] != key]
        writes += [Write(_REMOVE, {"job": row["id"]}) for row in wrong]
        if len(wrong) == len(pending.get(name, ())):
            writes.append(tick)
    for name, rows in pending.items():
        if name not in registry.schedules and _is_given_up(registry, name):
            writes += [Write(_REMOVE, {"job": row["id"]}) for row in rows if row["state"] == "waiting"]
    if writes:
        await host.database.apply(writes)


def _tick(host: Host, registry: Registry, name: str, after: datetime) -> Write:
    schedule = registry.schedules[name]
    time = next_tick(schedule.times(host), after, host.timezone)
    context: dict[str, Any] = {"now": time, "timezone": host.timezone}
    return enqueued(
        registry.job_names[schedule.job],
        schedule.job.parse(schedule.payload, context),
        now=host.clock(),
        due_at=time,
        queue=None,
        lane=f"{_LANE}{name}",
        key=f"{name}@{time.isoformat()}",
    )


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["key"].rpartition("@")[2])


def _is_to_come(row: Row, now: datetime) -> bool:
    return row["state"] == "waiting" and row["attempts"] == 0 and _time(row) > now


def _is_given_up(registry: Registry, name: str) -> bool:
    """Whether its pack serves without it, or was disabled; one that is only not here may serve elsewhere."""
    pack = name.partition(".")[0]
    absent = registry.absent.get(pack)
    return pack in registry.packs or (absent is not None and absent.state == "disabled")
