from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from sixty.server.corked import CorkedProtocol

uvloop = pytest.importorskip("uvloop", reason="there is none for Windows")


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """An application that is never asked."""


async def sent(*, after_it_has_gone: bool) -> tuple[bytes, list[dict[str, Any]]]:
    """What a client got of one write, and what the loop complained about."""
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))
    protocol = CorkedProtocol(uvicorn.Config(nobody, interface="asgi3"), ServerState(), {}, loop)
    ours, theirs = socket.socketpair()
    await loop.create_unix_connection(lambda: protocol, sock=ours)
    if after_it_has_gone:
        protocol.transport.abort()
        await asyncio.sleep(0)
    protocol.transport.write(b"one ")
    protocol.transport.write(b"piece")
    for _ in range(3):
        await asyncio.sleep(0)
    protocol.transport.close()
    await asyncio.sleep(0)
    with theirs:
        return theirs.recv(100), complaints


@pytest.mark.parametrize(
    ("after_it_has_gone", "got"),
    [pytest.param(False, b"one piece", id="a client that waits"), pytest.param(True, b"", id="a client that has gone")],
)
def test_what_is_written_leaves_in_one_piece_and_is_dropped_where_the_client_has_gone(
    *, after_it_has_gone: bool, got: bytes
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(sent(after_it_has_gone=after_it_has_gone)) == (got, [])
