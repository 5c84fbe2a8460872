"""Who waits on a server that says nothing is let go; who waits on one that is slow is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from sixty.storage import liveness
from sixty.storage.liveness import Liveness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Server:
    """What is asked."""

    def __init__(self) -> None:
        self.answers = True
        self.given_up: list[str] = []
        self._asked = asyncio.Condition()

    async def ask(self) -> bool:
        async with self._asked:
            self._asked.notify_all()
        return self.answers

    async def is_asked(self, times: int) -> None:
        for _ in range(times):
            async with asyncio.timeout(5), self._asked:
                await self._asked.wait()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(liveness, "LOOK", 0.001)
    monkeypatch.setattr(liveness, "SILENCE", 0.001)
    return Server()


@pytest.fixture
async def alive(server: Server) -> AsyncIterator[Liveness]:
    alive = Liveness(server.ask, server.given_up.append)
    yield alive
    await alive.close()


async def test_a_slow_server_is_waited_for(server: Server, alive: Liveness) -> None:
    alive.begin("one")
    await server.is_asked(3)
    assert not alive.lost
    assert server.given_up == []


async def test_nobody_waits_on_a_server_that_does_not_answer_until_it_does(server: Server, alive: Liveness) -> None:
    server.answers = False
    alive.begin("one")
    await server.is_asked(2)
    assert alive.lost
    assert set(server.given_up) == {"one"}
    alive.end("one")
    await server.is_asked(2)  # also while nothing is out
    server.answers = True
    await server.is_asked(1)
    await asyncio.sleep(0)
    assert not alive.lost


async def test_nothing_is_asked_while_nothing_is_out(server: Server, alive: Liveness) -> None:
    alive.begin("one")
    await server.is_asked(1)
    alive.end("one")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await server.is_asked(3)
    alive.begin("two")
    await server.is_asked(1)
