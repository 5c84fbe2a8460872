"""A way to a server that can be squeezed: then packets are swallowed, or connections refused. It reads nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from things import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 65_536


class Hose:
    """Passes on what comes to a port of its own, from a thread of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._ends: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """It is there for the length of the block."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        self._do(self._flows.set)
        self._do(self._listen)
        try:
            yield
        finally:
            self._do(self._cut)
            asyncio.run_coroutine_threadsafe(self._ended(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """Within the block nothing arrives, in neither direction; it does after it."""
        self._do(self._flows.clear)
        try:
            yield
        finally:
            self._do(self._flows.set)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Within the block there is no connection, and none is taken."""
        self._do(self._cut)
        try:
            yield
        finally:
            self._do(self._listen)

    def _do(self, what: Callable[[], None]) -> None:
        """Run in the loop's thread, and wait for it."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        done.wait()

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0)
        self._accepting = self._loop.create_task(self._accept(self._listener))

    def _cut(self) -> None:
        if self._accepting is not None and self._listener is not None:
            self._accepting.cancel()
            self._loop.remove_reader(self._listener)
            self._listener.close()
        for end in self._ends:
            self._loop.remove_reader(end)
            self._loop.remove_writer(end)
            end.close()
        self._ends.clear()
        for task in self._tasks:
            task.cancel()

    async def _ended(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            await self._flows.wait()
            here, _ = await self._loop.sock_accept(listener)
            task = self._loop.create_task(self._join(here))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _join(self, here: socket.socket) -> None:
        there = socket.socket()
        for end in (here, there):
            end.settimeout(0)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends.add(end)
        with suppress(OSError):
            await self._loop.sock_connect(there, ("127.0.0.1", self._target))
            both = [asyncio.ensure_future(self._pass(*ends)) for ends in ((here, there), (there, here))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        for end in (here, there):
            self._ends.discard(end)
            end.close()

    async def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        while data := await self._loop.sock_recv(source, CHUNK):
            await self._flows.wait()
            await self._loop.sock_sendall(sink, data)
