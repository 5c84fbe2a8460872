"""Sixty over HTTP in a process of its own, which also does what it is told on its standard input.

It is the server that `sixty serve` starts. One line of JSON goes in and one comes out: `{"enable": NAME}`,
`{"disable": NAME}` and `{"weigh": true}`. So packs come and go there as they do for a pack's own tool.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

from benchmarks.processes import Running, end, environment, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.organisation import Organisation
    from sixty.host import Host

__all__ = ["Served", "Weight", "served"]

LOOKS = 10


@dataclass(frozen=True)
class Weight:
    """What a server takes up after a garbage collection."""

    memory: float
    """In MiB, resident."""
    threads: int
    files: int
    """Open descriptors: files, sockets and connections."""
    tasks: int


@dataclass(frozen=True)
class Served(Running):
    """Such a server."""

    commands: IO[str]
    answers: IO[str]

    def enable(self, name: str) -> tuple[float, float]:
        """A pack serves. Seconds that it took, and when the server heard of it, as `perf_counter` tells time."""
        return self._swap("enable", name)

    def disable(self, name: str) -> tuple[float, float]:
        """A pack serves no more. What `enable` returns."""
        return self._swap("disable", name)

    def weigh(self) -> Weight:
        """What it takes up now."""
        counted = self.ask(weigh=True)
        return Weight(self.memory(), **counted)

    def ask(self, **command: Any) -> dict[str, Any]:
        """What the server answers."""
        self.commands.write(json.dumps(command) + "\n")
        self.commands.flush()
        answer: dict[str, Any] = json.loads(self.answers.readline())
        return answer

    def _swap(self, verb: str, name: str) -> tuple[float, float]:
        answer = self.ask(**{verb: name})
        return answer["seconds"], answer["heard_at"]


@contextmanager
def served(organisation: Organisation, port: int) -> Iterator[Served]:
    """The organisation is served on a port."""
    command = [sys.executable, "-m", __name__, str(port)]
    settings = environment(organisation.settings)
    with subprocess.Popen(command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            wait_for(port, process)
            yield Served(port, process.pid, process.stdin, process.stdout)
        finally:
            end(process)


class Hearing:
    """Observes a host, and knows when it was last told that lists may have changed."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.at = 0.0

    async def lists_may_have_changed(self) -> None:
        self.at = perf_counter()
        self.told.set()

    async def records_may_have_changed(self) -> None:
        """Nobody asks for these."""


async def obey(host: Host, hearing: Hearing) -> None:
    """Carry out what comes in, until there is no more."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        command = json.loads(line)
        answer = await weigh() if "weigh" in command else await swap(host, hearing, command)
        print(json.dumps(answer), flush=True)


async def swap(host: Host, hearing: Hearing, command: dict[str, str]) -> dict[str, Any]:
    """Enable or disable a pack, and say how long that took and when the host told of it."""
    hearing.told.clear()
    began = perf_counter()
    if "enable" in command:
        await host.enable(command["enable"])
    else:
        await host.disable(command["disable"])
    seconds = perf_counter() - began
    await hearing.told.wait()
    return {"seconds": seconds, "heard_at": hearing.at}


async def weigh() -> dict[str, int]:
    """How many there are of what a server may leave behind: the least in a second, when nothing is under way."""
    gc.collect()
    looks = []
    for _ in range(LOOKS):
        await asyncio.sleep(1 / LOOKS)
        files = len(os.listdir("/dev/fd"))  # noqa: PTH208 - it lists what the kernel knows: no disk is asked
        looks.append((threading.active_count(), files, len(asyncio.all_tasks())))
    return dict(zip(("threads", "files", "tasks"), map(min, *looks), strict=True))


async def main(port: int) -> None:
    """Serve until the process is ended."""
    from sixty.config import load_settings
    from sixty.host import Host
    from sixty.server.http import serve_http

    hearing = Hearing()
    async with Host.open(load_settings()) as host, host.watching(hearing):
        obeying = asyncio.create_task(obey(host, hearing))
        await serve_http(host, "127.0.0.1", port)
        obeying.cancel()


if __name__ == "__main__":
    from uvloop import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
