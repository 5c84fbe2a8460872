"""Agents that call several servers at once, whatever happens to these, and remember each try and each answer.

They judge nothing. A write is sent with an idempotency key, and again with the same one until it is acknowledged; some
are sent once more after that.
"""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from desk import META, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WRITERS, READERS = 4, 2
"""Who does a bit of everything, and so insists on a write while none is taken; and who reads on meanwhile."""
TURN = ("create", "read", "move", "read", "bulk", "create", "analyze", "move")
"""What a writer does over and over, each beginning somewhere else."""
READ = ("read", "read", "analyze")
ITEMS = 3
"""Activities of one bulk call."""
PAUSE = 0.02
"""Seconds between two calls of one caller."""
HUNG = 20.0
"""Seconds after which a caller takes a call for one that hangs."""
OK, BROKEN, HANGS = "ok", "broken", "hangs"
_READS = {
    "read": ("search_deals", {"limit": 5}),
    "analyze": ("get_pipeline_metrics", {}),
}


@dataclass(frozen=True)
class Try:
    """One request, and what came of it: `ok`, the code of an error, `broken` or `hangs`."""

    port: int
    tool: str
    is_write: bool
    began: float
    ended: float
    came_to: str
    text: str
    """What was answered, as far as it was an error."""


@dataclass(frozen=True)
class Write:
    """A write that was acknowledged."""

    tool: str
    arguments: dict[str, Any]
    answer: dict[str, Any]

    @property
    def call_id(self) -> str:
        """The call that history and audit know it by."""
        call_id: str = self.answer["change_id"]
        return call_id


@dataclass
class Callers:
    """Everybody who calls, and what they have been told."""

    ports: Sequence[int]
    key: str
    tries: list[Try] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    again: list[tuple[Write, dict[str, Any]]] = field(default_factory=list)
    """Writes that were sent once more though they were acknowledged, and what was answered to that."""
    _over: threading.Event = field(default_factory=threading.Event)
    _connections: threading.local = field(default_factory=threading.local)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Within the block they call. At its end each has had an answer to its last write."""
        failures: list[BaseException] = []

        def call(number: int) -> None:
            try:
                self._call_on(number)
            except BaseException as error:  # noqa: BLE001 - raised in the thread of the test
                failures.append(error)
            finally:
                for port in self.ports:
                    self._forget(port)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(WRITERS + READERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        if failures:
            raise failures[0]

    def ok_since(self, moment: float) -> int:
        """How many calls that began after this moment of `time.monotonic` have succeeded."""
        return sum(each.came_to == OK and each.began > moment for each in self.tries)

    def first_ok(self, port: int, *, is_write: bool, since: float) -> float | None:
        """When the first such call that began after `since` succeeded; None if none has yet."""
        ends = [
            each.ended
            for each in list(self.tries)
            if each.came_to == OK and each.port == port and each.is_write is is_write and each.began >= since
        ]
        return min(ends, default=None)

    def _call_on(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - no secret
        ports = cycle([*self.ports[number % len(self.ports) :], *self.ports[: number % len(self.ports)]])
        turns = cycle([*TURN[number:], *TURN[:number]] if number < WRITERS else READ)
        deals: list[str] = []
        while not self._over.is_set():
            turn = next(turns)
            if turn in _READS:
                tool, arguments = _READS[turn]
                self._try(next(ports), tool, arguments)
            elif turn == "create" or not deals:
                made = self._insist(ports, "create_deal", {"title": f"Deal {uuid4()}", "company_name": "Acme"})
                deals.append(made["deal_id"])
            elif turn == "move":
                self._insist(ports, "move_deal_stage", {"deal_id": deals.pop(), "stage": "opportunity"})
            else:
                items = [{"type": "call", "description": f"Call {uuid4()}"} for _ in range(ITEMS)]
                self._insist(ports, "bulk_schedule_activities", {"activities": items})
            if number < WRITERS and self.writes and chance.random() < 0.2:
                self._repeat(ports, chance.choice(self.writes))
            time.sleep(PAUSE)

    def _insist(self, ports: Iterator[int], tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call that is made until it is acknowledged."""
        key, patience = str(uuid4()), HUNG
        while True:
            answer = self._try(next(ports), tool, arguments, key)
            if answer is not None:
                self.writes.append(Write(tool, {**arguments, "key": key}, answer))
                return answer
            time.sleep(PAUSE)
            if self._over.is_set():
                patience -= PAUSE
                if patience < 0:
                    raise TimeoutError(f"{tool} is never acknowledged: {self.tries[-1]}")

    def _repeat(self, ports: Iterator[int], write: Write) -> None:
        arguments = dict(write.arguments)
        answer = self._try(next(ports), write.tool, arguments, arguments.pop("key"))
        if answer is not None:
            self.again.append((write, answer))

    def _try(self, port: int, tool: str, arguments: dict[str, Any], key: str | None = None) -> dict[str, Any] | None:
        """The result if it is one; what came of it is remembered."""
        began, answer, text = time.monotonic(), None, ""
        try:
            status, answer = self._post(port, tool, arguments, key)
        except TimeoutError:
            came_to = HANGS
        except (OSError, HTTPException) as error:
            came_to, text = BROKEN, repr(error)
        else:
            came_to = _came_to(status, answer)
            text = "" if came_to == OK else json.dumps(answer)
        if came_to in (HANGS, BROKEN):
            self._forget(port)
        self.tries.append(Try(port, tool, key is not None, began, time.monotonic(), came_to, text))
        return answer["result"]["structuredContent"] if answer is not None and came_to == OK else None

    def _post(self, port: int, tool: str, arguments: dict[str, Any], key: str | None) -> tuple[int, Any]:
        connections = self._connections.__dict__
        if port not in connections:
            connections[port] = HTTPConnection("127.0.0.1", port, timeout=HUNG)
        params = {"name": tool, "arguments": arguments, "_meta": META}
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self.key}",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }
        if key is not None:
            headers["Idempotency-Key"] = key
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        connections[port].request("POST", "/mcp", json.dumps(message), headers)
        response = connections[port].getresponse()
        return response.status, json.loads(response.read())

    def _forget(self, port: int) -> None:
        with suppress(KeyError):
            self._connections.__dict__.pop(port).close()


def _came_to(status: int, answer: Any) -> str:
    """The code of an answer; one that is no proper answer is told apart by its status."""
    if "result" in answer:
        content = answer["result"]["structuredContent"]
        code: str = OK if content["success"] else content["error"]["code"]
        return code
    data = answer.get("error", {}).get("data") or {}
    return data.get("code") or f"{status} without a code"
