"""The worker: does the jobs that are due, beside those of every other process on the database.

It looks when this process has left a job to be done, when somebody has written, when a job falls due, and every few
seconds. Which jobs are its own, and for how long, is decided in `leases.py`; what one try comes to, in `trying.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING

from sixty.errors import Unavailable
from sixty.jobs.leases import LEASE, Leases
from sixty.jobs.ticking import keep_ticks
from sixty.jobs.trying import settling
from sixty.outage import Outage
from sixty.signals.within import within
from sixty.storage.database import StaleWrite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.host import Host
    from sixty.registry import Registry
    from sixty.storage.statements import Row

__all__ = ["Worker"]

OF_A_QUEUE = 8
"""Jobs of one queue that run at once in a process."""
IN_ALL = 256
"""Jobs that run at once in a process: so many wait for the world outside at the most."""
POLL = 5.0
"""Seconds between two looks at the most."""
OTHERS = 1.0
"""Seconds after which it is seen what others have written: their own processes look at once for the jobs they leave."""
BETWEEN = 0.05
"""Seconds between two looks at the least: whatever happens meanwhile leads to one look."""
AWAY = 1.0
"""Seconds after which a database that did not answer is asked again."""
RENEW = 3.0
"""Seconds between two renewals of what runs."""
TICKS = 60.0
"""Seconds after which each schedule is seen to have its next tick, if no pack has come or gone before."""
LEAP = 1.0
"""Seconds between two looks that only a clock which was set, or a machine that slept, can be off by."""
GRACE = 2.0
"""Seconds that what runs has to end when the worker stops."""
CANCELLED = 2.0
"""Seconds that it has once it is cancelled."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    """A job that runs here."""

    row: Row
    registry: Registry
    until: float
    """When its lease ends, by this process's own count of seconds."""


class Worker:
    """What one process does of the jobs that are due."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._leases = Leases(host.database, host.clock)
        self._woken = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._running: dict[asyncio.Task[None], _Running] = {}
        self._ticks_due = 0.0
        self._offset = time() - monotonic()
        self._outage = Outage(_logger, "jobs cannot be looked for; it is tried again", "jobs can be looked for again")

    @property
    def answers(self) -> bool:
        """Whether jobs could be looked for when it last tried."""
        return not self._outage.lasts

    @property
    def running(self) -> int:
        """How many jobs run here."""
        return len(self._running)

    def wake(self) -> None:
        """Look at once for what is due."""
        self._woken.set()

    async def lists_may_have_changed(self) -> None:
        """Packs may have come or gone, and their schedules with them."""
        self._ticks_due = 0.0
        self.wake()

    async def records_may_have_changed(self) -> None:
        """Somebody may have left a job to be done."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(OTHERS, self.wake)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Within the block it works. At its end, what does not end in a moment is handed back to whoever comes."""
        async with self._host.watching(self), self._renewing():
            working = asyncio.create_task(self._work())
            try:
                yield
            finally:
                await _end(working)
                self._forget_others()
                await self._stop()

    async def drain(self) -> list[str]:
        """Do what is due, and what that leads to, until nothing is; the names of the jobs, one for each try."""
        tried: list[str] = []
        self._ticks_due = 0.0
        async with self._renewing():
            try:
                while True:
                    taken, _ = await self._turn()
                    tried += taken
                    if not self._running:
                        return tried
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await self._stop()

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            self._forget_others()
            pause = AWAY
            with self._outage.survived():
                _, pause = await self._turn()
            await asyncio.sleep(BETWEEN)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    def _forget_others(self) -> None:
        """Whatever others have written until now is about to be seen, or never."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    async def _turn(self) -> tuple[list[str], float]:
        """Start what is due and there is room for; the names of that, and the seconds until more falls due."""
        registry = self._host.registry
        registry.in_flight.begin()  # a pack that leaves waits for what is being taken
        try:
            offset = time() - monotonic()
            if abs(offset - self._offset) > LEAP:
                await self._leases.begin_anew()
                self._offset, self._ticks_due = offset, 0.0
            if monotonic() >= self._ticks_due:
                await keep_ticks(self._host)
                self._ticks_due = monotonic() + TICKS
            outlook = await self._leases.outlook()
            if outlook.abandoned:
                await self._leases.take_over()
                outlook = await self._leases.outlook()
            until = monotonic() + LEASE.total_seconds()
            names = [name for name, (_, job) in registry.jobs.items() if job.is_done_by(self._host)]
            taken = await self._leases.take(self._rooms(outlook.due), names)
            for row in taken:
                registry.in_flight.begin()
                task = asyncio.create_task(self._run(row, registry))
                self._running[task] = _Running(row, registry, until)
                task.add_done_callback(self._ended)
        finally:
            registry.in_flight.end()
        following = outlook.following
        pause = POLL if following is None else (following - self._host.clock()).total_seconds()
        return [row["name"] for row in taken], min(max(pause, 0.0), POLL)

    def _rooms(self, queues: tuple[str, ...]) -> dict[str, int]:
        """How many more jobs of each queue may run here."""
        busy = Counter(running.row["queue"] for running in self._running.values())
        left, rooms = IN_ALL - len(self._running), {}
        for queue in queues:
            if (room := min(OF_A_QUEUE - busy[queue], left)) > 0:
                rooms[queue] = room
                left -= room
        return rooms

    async def _run(self, row: Row, registry: Registry) -> None:
        """One try, and what it comes to."""
        try:
            trace = row["traceparent"][3:35] if row["traceparent"] is not None else None
            with within(job=row["id"], job_name=row["name"], call=row["call_id"], user=row["user_id"], trace=trace):
                writes = await settling(self._host, registry, self._leases, row)
            while True:
                try:
                    await self._host.database.apply(writes)
                except Unavailable:  # until it is back, or the lease has ended
                    await asyncio.sleep(AWAY)
                else:
                    return
        except StaleWrite:
            _logger.warning("the lease of the job %s (%s) has ended while it ran", row["id"], row["name"])
        except Exception:
            _logger.exception("the job %s (%s) could not be settled", row["id"], row["name"])

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task).registry.in_flight.end()
        self.wake()

    @asynccontextmanager
    async def _renewing(self) -> AsyncIterator[None]:
        """Within the block, what runs here stays leased."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            await _end(renewing)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            held = dict(self._running)
            if not held:
                continue
            until = monotonic() + LEASE.total_seconds()
            try:
                kept = await self._leases.renew(running.row["seq"] for running in held.values())
            except Exception as error:  # noqa: BLE001 - it is tried again as long as the leases last
                _logger.info("leases could not be renewed: %s", error)
            else:
                for running in held.values():
                    running.until = until if running.row["seq"] in kept else 0.0
            for task, running in held.items():
                if running.until < monotonic():  # somebody else may be at it by now
                    task.cancel()

    async def _stop(self) -> None:
        """Nothing runs any more, and nothing is held."""
        for patience in (GRACE, CANCELLED):
            if self._running:
                await asyncio.wait(self._running, timeout=patience)
            for task in self._running:
                task.cancel()
        try:
            await self._leases.hand_back()
        except Exception as error:  # noqa: BLE001 - then the leases end by themselves
            _logger.warning("jobs could not be handed back: %s", error)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
