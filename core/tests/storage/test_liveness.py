"""Who waits on a server that says nothing is let go; who waits on one that is slow is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from sixty.storage import pulse
from sixty.storage.pulse import Pulse

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
    monkeypatch.setattr(pulse, "LOOK", 0.001)
    monkeypatch.setattr(pulse, "SILENCE", 0.001)
    return Server()


@pytest.fixture
async def beat(server: Server) -> AsyncIterator[Pulse]:
    beat = Pulse(server.ask, server.given_up.append)
    yield beat
    await beat.close()


async def test_a_slow_server_is_waited_for(server: Server, beat: Pulse) -> None:
    beat.begin("one")
    await server.is_asked(3)
    assert not beat.lost
    assert server.given_up == []


async def test_nobody_waits_on_a_server_that_does_not_answer_until_it_does(server: Server, beat: Pulse) -> None:
    server.answers = False
    beat.begin("one")
    await server.is_asked(2)
    assert beat.lost
    assert set(server.given_up) == {"one"}
    beat.end("one")
    await server.is_asked(2)  # also while nothing is out
    server.answers = True
    await server.is_asked(1)
    await asyncio.sleep(0)
    assert not beat.lost


async def test_nothing_is_asked_while_nothing_is_out(server: Server, beat: Pulse) -> None:
    beat.begin("one")
    await server.is_asked(1)
    beat.end("one")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await server.is_asked(3)
    beat.begin("two")
    await server.is_asked(1)
