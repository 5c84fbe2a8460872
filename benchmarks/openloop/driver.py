"""Sends each request when it is due, over as many connections as that takes, and counts what comes back."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import suppress
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.openloop.connection import Connection, Request
from benchmarks.openloop.listens import Listeners, Stream
from benchmarks.openloop.plan import LISTENS, NOTICES, SERIAL, Kind, Outcome
from benchmarks.openloop.requests import opened, single

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.openloop.plan import Arrival, Call, Plan

__all__ = ["Driver"]

SOON = 0.2
"""Seconds until the first request, so that it is not late."""
IDLE = 30.0
"""Seconds after which a connection that nobody needed is closed: earlier than a server would."""
MARK = SERIAL.encode()


class Driver:
    """Carries out one plan, once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.outcome = Outcome(kinds={kind: Kind() for kind in [*plan.shares, NOTICES]})
        self.listeners = Listeners(self.outcome.kinds[NOTICES])
        self._idle: dict[int, deque[Connection]] = {port: deque() for port in plan.ports}
        self._ports = cycle(plan.ports)
        self._serial = plan.serial
        self._open = 0
        self._waiting: set[Request] = set()
        self._all_over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._written: dict[tuple[str, int, int], tuple[int | None, bytes]] = {}

    async def run(self) -> Outcome:
        """The plan has been carried out, and everything is closed."""
        plan = self._plan
        self._sessions = (
            await opened(plan.ports, (c.token for cs in plan.calls.values() for c in cs)) if plan.sessions else {}
        )
        arrivals = list(plan.arrivals())
        self._began = perf_counter() + SOON
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._arrivals: Iterator[Arrival] = iter(arrivals)
        self._next = next(self._arrivals, None)
        at = self._loop.time() + SOON
        ends = at + plan.warm_up + plan.seconds
        self._loop.call_at(at + plan.warm_up, self._start_counting)
        self._loop.call_at(ends - plan.seconds / 2, self._look, 0)
        self._loop.call_at(ends, self._look, 1)
        self._send_due()
        await self._ended
        self.outcome.cpu = _cpu() - self._cpu_before
        await self._last_answers()
        self.listeners.close()
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
        await asyncio.sleep(0.01)  # so that all that was closed is
        return self.outcome

    def _start_counting(self) -> None:
        self._cpu_before = _cpu()

    def _look(self, place: int) -> None:
        self.outcome.waiting[place] = len(self._waiting)

    def _send_due(self) -> None:
        """Send all that is due, and come again for the next."""
        while (arrival := self._next) is not None:
            due = self._began + arrival.at
            now = perf_counter()
            if now < due:
                self._loop.call_later(due - now, self._send_due)
                return
            counts = arrival.at >= self._plan.warm_up
            if counts:
                self.outcome.late.add(now - due)
            self._send(arrival, due, counts=counts)
            self._next = next(self._arrivals, None)
        self._loop.call_later(
            max(0.0, self._began + self._plan.warm_up + self._plan.seconds - perf_counter()), self._end
        )

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _send(self, arrival: Arrival, due: float, *, counts: bool) -> None:
        calls = self._plan.calls[arrival.kind]
        call = calls[arrival.which % len(calls)]
        kind = self.outcome.kinds[arrival.kind]
        if counts:
            kind.sent += 1
        port, written = self._wire(arrival, call)
        self._serial += 1
        request = Request(kind, due, written.replace(MARK, b"%d" % self._serial), call.touches, counts=counts)
        self._waiting.add(request)
        if port is None:
            port = next(self._ports)
        if arrival.kind == LISTENS:
            self._begin(self._listen(port, request, call))
        elif self._idle[port]:
            self._idle[port].pop().send(request)
        else:
            self._begin(self._connect(port, request))
        if call.touches is not None:
            self.listeners.expect(call.touches, request)

    def _wire(self, arrival: Arrival, call: Call) -> tuple[int | None, bytes]:
        """The request as it is written, and where it must go, if that matters. Kept, since each comes again."""
        in_session = arrival.kind != LISTENS and (arrival.which >> 20) / 1024 < self._plan.sessions
        key = (arrival.kind, arrival.which % len(self._plan.calls[arrival.kind]), in_session)
        if key not in self._written:
            if in_session:
                session = self._sessions[call.token]
                self._written[key] = session.port, session.request(call)
            else:
                self._written[key] = None, single(call)
        return self._written[key]

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, port: int, request: Request) -> None:
        try:
            _, connection = await self._loop.create_connection(lambda: Connection(self, port), "127.0.0.1", port)
        except OSError as error:
            self.fail(request, "not connected", str(error))
            return
        self._open += 1
        self.outcome.connections = max(self.outcome.connections, self._open)
        connection.send(request)

    async def _listen(self, port: int, request: Request, call: Call) -> None:
        uris = call.params["notifications"]["resourceSubscriptions"]
        stream = Stream(
            self.listeners, uris, lambda: self.settle(request, None), lambda why: self.fail(request, "refused", why)
        )
        try:
            await self._loop.create_connection(lambda: stream, "127.0.0.1", port)
        except OSError as error:
            self.fail(request, "not connected", str(error))
            return
        stream.begin(request.written)
        self._loop.call_later(self._plan.listen_for, stream.leave)

    async def _last_answers(self) -> None:
        """All have been answered, or have waited long enough."""
        if self._waiting:
            self._all_over.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_over.wait(), self._plan.patience)
        for request in list(self._waiting):
            self.fail(
                request,
                "unanswered",
                f"unanswered after {perf_counter() - request.due:.1f} s: {request.written[:600]!r}",
            )

    def release(self, connection: Connection) -> None:
        """The connection is free. The last to be free is the first to be taken, so that those in excess grow old."""
        idle = self._idle[connection.port]
        idle.append(connection)
        while idle[0].free_since < connection.free_since - IDLE:
            idle.popleft().close()

    def lost(self, connection: Connection) -> None:
        """The connection is gone."""
        self._open -= 1
        if connection in self._idle[connection.port]:
            self._idle[connection.port].remove(connection)

    def settle(self, request: Request, error: tuple[str, str] | None) -> None:
        """The request was answered just now: with this error, its code and all of it, unless it was served."""
        if error is not None:
            self.fail(request, *error)
        elif self._is_over(request) and request.counts:
            request.kind.took.add(perf_counter() - request.due)

    def fail(self, request: Request, code: str, why: str) -> None:
        """The request was not served."""
        if not self._is_over(request):
            return
        if request.touches is not None:
            self.listeners.forget(request.touches, request)
        if request.counts:
            request.kind.errors[code] = request.kind.errors.get(code, 0) + 1
            self.outcome.failure = self.outcome.failure or f"{code}: {why}"

    def _is_over(self, request: Request) -> bool:
        """Whether this is the first that is heard of the request; it is not waited for any more."""
        is_first = request in self._waiting
        self._waiting.discard(request)
        if not self._waiting:
            self._all_over.set()
        return is_first


def _cpu() -> float:
    times = os.times()
    return times.user + times.system
