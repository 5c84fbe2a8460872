"""A second client: it reads one record after the other without pause, and tells how long each took."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from http.client import HTTPConnection
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection

__all__ = ["Caller", "Onlooker", "onlooker"]

OK = 200


class Caller:
    """A connection that is kept, and what is called through it."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._token = token

    def took(self, tool: str, arguments: Mapping[str, Any]) -> float:
        """Milliseconds until the answer was there. Raises `RuntimeError` unless it is a success."""
        body = wire.rpc("tools/call", name=tool, arguments=arguments)
        head = wire.headers("tools/call", tool, self._token)
        began = perf_counter()
        self._connection.request("POST", "/mcp", body, head)
        response = self._connection.getresponse()
        answer = response.read()
        taken = perf_counter() - began
        if response.status != OK or b'"isError":true' in answer or b'"error":' in answer[:200]:
            raise RuntimeError(f"{tool} {arguments} was refused: {response.status} {answer[:500]!r}")
        return taken * 1000


class Onlooker:
    """The second client, from here."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def waited(self) -> list[float]:
        """Milliseconds of each read since this was asked last."""
        self._pipe.send("waited")
        waits: list[float] = self._pipe.recv()
        return waits


@contextmanager
def onlooker(port: int, token: str, ids: Sequence[str]) -> Iterator[Onlooker]:
    """Such a client is at it within the block, in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_look, args=(there, port, token, ids))
    process.start()
    try:
        yield Onlooker(here)
    finally:
        here.send("enough")
        process.join()


def _look(pipe: Connection, port: int, token: str, ids: Sequence[str]) -> None:
    caller = Caller(port, token)
    waits: list[float] = []
    place = 0
    while True:
        waits.append(caller.took("get_record", {"id": ids[place % len(ids)]}))
        place += 1
        if pipe.poll():
            if pipe.recv() == "enough":
                return
            pipe.send(waits)
            waits = []
