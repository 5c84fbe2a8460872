"""An audience: clients that only listen, each over one socket, so light that a thousand of them fit into one process.

A process of its own. One line of JSON goes in and one comes out: `{"join": KIND, "tokens": […]}` when these clients
listen, `{"told": N}` when so many have been told that the list of tools has changed, or too much time has passed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

from benchmarks.listening import KINDS
from benchmarks.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Audience", "Told", "audience"]

PATIENCE = 10.0  # seconds for all to be told
QUIET = 1.0  # seconds after the last one in which nobody may be told twice, or wrongly
JOINING = 50  # clients that connect at a time


@dataclass(frozen=True)
class Told:
    """Who was told: how often, by token, for each client; and the first and the last moment, by `perf_counter`."""

    times: dict[str, list[int]]
    first: float
    last: float
    lost: list[str]
    """Why clients have gone, if any have."""


@dataclass(frozen=True)
class Audience:
    """Clients of the server on one port."""

    commands: IO[str]
    answers: IO[str]

    def join(self, kind: str, tokens: Sequence[str]) -> None:
        """One more client for each token listens."""
        self.ask(join=kind, tokens=tokens)

    def told(self, at_least: int) -> Told:
        """What has been heard since the last time, as soon as so many have heard something, and then it was quiet."""
        return Told(**self.ask(told=at_least))

    def ask(self, **command: Any) -> dict[str, Any]:
        """What the process answers."""
        self.commands.write(json.dumps(command) + "\n")
        self.commands.flush()
        answer: dict[str, Any] = json.loads(self.answers.readline())
        return answer


@contextmanager
def audience(port: int) -> Iterator[Audience]:
    """A process whose clients listen to the server on this port."""
    command = [sys.executable, "-m", __name__, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Audience(process.stdin, process.stdout)
        finally:
            end(process)


@dataclass(eq=False)
class Client:
    """One that listens."""

    token: str
    heard: list[float] = field(default_factory=list)


@dataclass
class Clients:
    """All of them."""

    port: int
    clients: list[Client] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    something: asyncio.Event = field(default_factory=asyncio.Event)

    async def join(self, kind: str, tokens: Sequence[str]) -> dict[str, Any]:
        """These listen, too."""
        places = asyncio.Semaphore(JOINING)

        async def one(token: str) -> None:
            async with places:
                ready = asyncio.Event()
                task = asyncio.create_task(self._listen(kind, Client(token), ready))
                self.tasks.add(task)
                await ready.wait()

        await asyncio.gather(*map(one, tokens))
        if self.lost:
            raise RuntimeError(f"{len(self.lost)} clients did not stay, the first because {self.lost[0]}")
        return {}

    async def told(self, at_least: int) -> dict[str, Any]:
        """What has been heard since the last time."""
        ends = perf_counter() + PATIENCE
        while sum(bool(client.heard) for client in self.clients) < at_least and (left := ends - perf_counter()) > 0:
            self.something.clear()
            await asyncio.wait((asyncio.ensure_future(self.something.wait()),), timeout=left)
        await asyncio.sleep(QUIET)
        moments = sorted(moment for client in self.clients for moment in client.heard) or [0.0]
        times: dict[str, list[int]] = {}
        for client in self.clients:
            times.setdefault(client.token, []).append(len(client.heard))
            client.heard.clear()
        return {"times": times, "first": moments[0], "last": moments[-1], "lost": self.lost}

    async def _listen(self, kind: str, client: Client, ready: asyncio.Event) -> None:
        try:
            async for message in KINDS[kind](self.port, client.token):
                if message is None:
                    self.clients.append(client)
                    ready.set()
                elif message.get("method") == "notifications/tools/list_changed":
                    client.heard.append(perf_counter())
                    self.something.set()
            self.lost.append(f"the server ended its {kind} stream")
        except (OSError, EOFError, ValueError) as error:
            self.lost.append(f"{kind}: {type(error).__name__}: {error}")
        finally:
            ready.set()


async def main(port: int) -> None:
    """Do what comes in, until there is no more."""
    clients = Clients(port)
    lines = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        command = json.loads(line)
        if "join" in command:
            answer = await clients.join(command["join"], command["tokens"])
        else:
            answer = await clients.told(command["told"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
