"""The load: a few connections that each send the next request as soon as the last one is answered.

A process of its own, so that it takes no time from the server, and lean, so that the server is what is measured. It
takes a plan as JSON on its standard input and prints what came of it. Every answer is read: one that is not a success
is counted as an error and never as a request served.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from itertools import cycle
from math import isfinite
from time import perf_counter
from typing import TYPE_CHECKING, Any

import httptools
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Load", "Outcome", "carry_out", "run"]

CONNECTIONS = 8
WARM_UP = 0.3  # seconds at full load before counting starts
OK = 200


@dataclass(frozen=True)
class Outcome:
    """What came of a load: `rate` in requests a second, latencies in milliseconds, and the first failure, if any."""

    rate: float
    p50: float
    p99: float
    served: int
    errors: int
    failure: str | None


def run(port: int, requests: Sequence[str], *, seconds: float | None = None) -> Outcome:
    """Send the requests over and over for so many seconds, or each of them once, from a process of its own."""
    plan = json.dumps({"port": port, "requests": requests, "seconds": seconds})
    done = subprocess.run([sys.executable, "-m", __name__], input=plan, stdout=subprocess.PIPE, text=True, check=True)
    return Outcome(**json.loads(done.stdout))


def result_of(status: int, body: bytes) -> dict[str, Any] | None:
    """The result in this answer, if it has one. Takes JSON, and the last event of an event stream."""
    if status != OK:
        return None
    answer = orjson.loads(body if body.startswith(b"{") else body.rpartition(b"data: ")[2].partition(b"\n")[0])
    result: dict[str, Any] | None = answer.get("result")
    return result


@dataclass
class Load:
    """What the connections share: what to send next, until when, and what has come back."""

    requests: Iterator[bytes]
    counts_from: float
    ends: float
    latencies: list[float] = field(default_factory=list)
    last: float = 0.0
    errors: int = 0
    failure: str | None = None
    good: bytes = b""
    """An answer that was read and was a success: the same answer again, such as a long list, is not read again."""
    expected: str | None = None
    """The code of an error that is as good as a success here."""
    refused: int = 0
    """How often it came."""

    def next(self) -> bytes | None:
        """What to send now, if there is anything."""
        return next(self.requests, None) if perf_counter() < self.ends else None

    def settle(self, sent: float, status: int, body: bytes) -> None:
        """Count an answer."""
        now = perf_counter()
        if body != self.good:
            result = result_of(status, body)
            if result is None or (result.get("isError") and not self.is_expected(result)):
                self.fail(f"{status} {body[:500]!r}")
                return
            if result.get("isError"):
                self.refused += 1
            else:
                self.good = body
        if self.counts_from <= now <= self.ends:
            self.latencies.append(now - sent)
            self.last = now

    def is_expected(self, result: dict[str, Any]) -> bool:
        """Whether this error is the one that may come."""
        return self.expected is not None and result["structuredContent"]["error"]["code"] == self.expected

    def fail(self, why: str) -> None:
        """Count a request that was not answered as it should be."""
        self.errors += 1
        self.failure = self.failure or why

    def outcome(self) -> Outcome:
        """What has come of it."""
        taken = sorted(self.latencies) or [0.0]
        elapsed = (self.ends if isfinite(self.ends) else self.last) - self.counts_from
        return Outcome(
            rate=round(len(self.latencies) / elapsed, 1) if self.latencies else 0.0,
            p50=round(taken[len(taken) // 2] * 1000, 2),
            p99=round(taken[len(taken) * 99 // 100] * 1000, 2),
            served=len(self.latencies),
            errors=self.errors,
            failure=self.failure,
        )


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request on its way. `closed` is done when there is nothing more to send."""

    def __init__(self, load: Load, closed: asyncio.Future[None]) -> None:
        self.load = load
        self.closed = closed
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.sent: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        request = self.load.next()
        if request is None:
            self.sent = None
            self.transport.close()
        else:
            self.body.clear()
            self.sent = perf_counter()
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        assert self.sent is not None
        self.load.settle(self.sent, self.parser.get_status_code(), bytes(self.body))
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.sent is not None:
            self.load.fail(f"connection lost: {exc}")
        self.closed.set_result(None)


async def drive(port: int, requests: Sequence[bytes], seconds: float | None) -> Outcome:
    """The outcome of a plan, carried out on the running loop."""
    now = perf_counter()
    if seconds is None:
        load = Load(iter(requests), counts_from=now, ends=float("inf"))
    else:
        load = Load(cycle(requests), counts_from=now + WARM_UP, ends=now + WARM_UP + seconds)
    await carry_out(load, port, CONNECTIONS)
    return load.outcome()


async def carry_out(load: Load, port: int, connections: int) -> None:
    """The load has come to its end, over so many connections at a time."""
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(lambda end=end: Connection(load, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)


def main() -> None:
    """Carry out the plan on standard input and print its outcome as JSON."""
    plan = json.load(sys.stdin)
    requests = [request.encode() for request in plan["requests"]]
    outcome = asyncio.run(drive(plan["port"], requests, plan["seconds"]))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
