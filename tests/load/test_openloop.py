"""The open-loop generator measures what it says, also when whoever it asks stalls, or it does itself."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager, suppress
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))  # benchmarks are no distribution

from benchmarks.closedloop import Load, carry_out
from benchmarks.openloop.driver import Driver
from benchmarks.openloop.histogram import Histogram
from benchmarks.openloop.plan import LISTENS, NOTICES, Call, Outcome, Plan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RATE, SECONDS, STALL = 400.0, 0.6, 0.25
URI = "crm://deals/1"
WRITE = Call("key", "tools/call", {"name": "update_deal", "arguments": {}}, touches=URI)
READ = Call("key", "tools/call", {"name": "get_record", "arguments": {}})
LISTEN = Call("key", "subscriptions/listen", {"notifications": {"resourceSubscriptions": [URI]}})


class Server:
    """Answers at once, but for what comes while it stalls: that is answered when the stall is over."""

    def __init__(self) -> None:
        self.result: dict[str, Any] = {"structuredContent": {"success": True}}
        self.requests = 0
        self.stalls_at = 0
        """After how many requests it stalls, if at all."""
        self.stalled = (0.0, 0.0)
        self.port = 0
        self._gate = asyncio.Event()
        self._gate.set()
        self._listening: list[asyncio.StreamWriter] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None] | None] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as listener:
            self.port = listener.sockets[0].getsockname()[1]
            yield self
            for writer in self._writers:
                writer.close()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._serving.add(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await self._answer(json.loads(await reader.readexactly(length)), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        if self.requests == self.stalls_at:
            self._stall()
        await self._gate.wait()
        if message["method"] == "subscriptions/listen":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._tell(writer, {"method": "notifications/subscriptions/acknowledged"})
            self._listening.append(writer)
            return
        if message["params"]["name"] == "update_deal":
            for listener in self._listening:
                self._tell(listener, {"method": "notifications/resources/updated", "params": {"uri": URI}})
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": self.result}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def _tell(self, writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        event = f"data: {json.dumps(message)}\n\n".encode()
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))

    def _stall(self) -> None:
        self._gate.clear()
        began = time.perf_counter()

        def over() -> None:
            self.stalled = (began, time.perf_counter())
            self._gate.set()

        asyncio.get_running_loop().call_later(STALL, over)


def plan(server: Server, **calls: Call) -> Plan:
    """Calls of these kinds, all as often."""
    return Plan([server.port], {kind: [call] for kind, call in calls.items()}, dict.fromkeys(calls, 1.0), RATE, SECONDS)


async def test_who_is_due_during_a_stall_is_charged_for_it_whoever_waits_already() -> None:
    async with Server().running() as server:
        server.stalls_at = 60
        schedule = plan(server, reads=READ)
        outcome = await Driver(schedule).run()

    stalled_from, stalled_to = server.stalled
    due = [arrival.at for arrival in schedule.arrivals()]
    first = due[59]
    waited_long = [at for at in due if first <= at <= first + STALL - 0.1]
    assert len(waited_long) > 30
    took = outcome.kinds["reads"].took
    assert took.at_least(0.09) >= len(waited_long)
    assert took.percentile(90) >= 0.09
    assert stalled_to - stalled_from >= STALL * 0.99
    assert outcome.kinds["reads"].sent == len(due) == took.count


async def test_a_closed_loop_would_not_have_seen_that_stall() -> None:
    async with Server().running() as server:
        server.stalls_at = 60
        head = "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n"
        body = json.dumps({"id": 1, "method": "tools/call", "params": {"name": "get_record"}})
        requests = [(head.format(len(body)) + body).encode()] * 300
        load = Load(iter(requests), counts_from=0.0, ends=float("inf"))
        await carry_out(load, server.port, 1)

    assert 1 <= sum(taken >= 0.09 for taken in load.latencies) <= 3


async def test_a_generator_that_is_late_says_so_and_what_it_measured_is_not_valid() -> None:
    async with Server().running() as server:
        asyncio.get_running_loop().call_later(0.4, time.sleep, 0.1)  # nothing is sent meanwhile
        outcome = await Driver(plan(server, reads=READ)).run()

    assert outcome.late.longest >= 0.08
    assert not outcome.is_valid


async def test_an_error_is_counted_by_its_code_and_never_as_served() -> None:
    async with Server().running() as server:
        server.result = {"isError": True, "structuredContent": {"success": False, "error": {"code": "conflict"}}}
        outcome = await Driver(plan(server, reads=READ)).run()

    reads = outcome.kinds["reads"]
    assert reads.errors == {"conflict": reads.sent}
    assert outcome.served == 0
    assert outcome.errors == reads.sent
    assert outcome.failure is not None


async def test_what_is_never_answered_is_an_error() -> None:
    async with Server().running() as server:
        server.stalls_at = 100
        schedule = Plan([server.port], {"reads": [READ]}, {"reads": 1.0}, RATE, 0.3, patience=0.05)
        outcome = await Driver(schedule).run()

    reads = outcome.kinds["reads"]
    assert reads.errors == {"unanswered": reads.sent - reads.took.count}
    assert outcome.waiting[1] > 0


async def test_nobody_is_counted_before_the_warm_up_is_over() -> None:
    async with Server().running() as server:
        schedule = Plan([server.port], {"reads": [READ]}, {"reads": 1.0}, RATE, 0.2, warm_up=0.2)
        outcome = await Driver(schedule).run()

    assert outcome.served == sum(arrival.at >= 0.2 for arrival in schedule.arrivals())


async def test_what_a_stream_hears_counts_from_when_the_write_was_due() -> None:
    async with Server().running() as server:
        outcome = await Driver(plan(server, writes=WRITE, **{LISTENS: LISTEN})).run()

    notices = outcome.kinds[NOTICES]
    assert outcome.kinds[LISTENS].took.count == outcome.kinds[LISTENS].sent
    assert notices.took.count > 100
    assert not notices.errors
    assert outcome.served == sum(kind.sent for name, kind in outcome.kinds.items() if name != NOTICES)


def test_the_schedule_is_the_same_on_each_run_and_another_for_another_seed() -> None:
    first, again = (list(Plan([1], {}, {"a": 3, "b": 1}, 1000, 4, seed=seed).arrivals()) for seed in (1, 1))
    other = list(Plan([1], {}, {"a": 3, "b": 1}, 1000, 4, seed=2).arrivals())

    assert first == again != other
    assert len(first) == pytest.approx(4000, rel=0.1)
    assert sum(arrival.kind == "a" for arrival in first) == pytest.approx(3000, rel=0.1)


def test_a_plan_and_an_outcome_come_through_a_pipe_as_they_were() -> None:
    schedule = Plan([1], {"reads": [READ]}, {"reads": 1.0}, 10, 1)
    outcome = Outcome(late=Histogram([(3, 4)], 0.5), failure="x")

    assert Plan.from_json(schedule.to_json()) == schedule
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))).to_json() == outcome.to_json()


@given(st.lists(st.floats(1e-6, 100), min_size=1), st.floats(0, 100, exclude_min=True))
def test_a_percentile_is_never_too_little_and_one_percent_too_much_at_the_most(
    taken: list[float], percent: float
) -> None:
    histogram = Histogram()
    for one in taken:
        histogram.add(one)
    exact = sorted(taken)[max(1, ceil(len(taken) * percent / 100)) - 1]

    assert exact * 0.999999 <= histogram.percentile(percent) <= exact * 1.0101
