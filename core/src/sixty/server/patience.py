"""Clients that stop reading: their connections are dropped, so that what is meant for them is not kept for ever.

Whoever reads slowly is waited for; it is a connection on which nothing at all could be sent for a while that ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sixty.server.corked import CorkedProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

__all__ = ["HttpProtocol", "WebSocketProtocol"]

PATIENCE = 5.0
"""Seconds for which a full connection is waited for."""
LAST_PATIENCE = 0.5
"""The same, once the server stops."""


class _Patient(asyncio.Protocol):
    """A protocol that waits for its client, but not for ever."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _is_stopping = False
    _left = 0
    _timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The connection is full."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """There is room again."""
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops."""
        self._is_stopping = True
        if self._timer is not None:
            self._wait()
        super().shutdown()  # type: ignore[misc] # uvicorn's protocols have it, and no common class

    def _wait(self) -> None:
        self._stop_waiting()
        self._left = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(LAST_PATIENCE if self._is_stopping else PATIENCE, self._look)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self.transport.get_write_buffer_size() < self._left:
            self._wait()
        else:
            self.transport.abort()


class HttpProtocol(_Patient, CorkedProtocol):
    """HTTP, with answers that leave in one piece."""


class WebSocketProtocol(_Patient, WebSocketsSansIOProtocol):
    """WebSocket."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application wants to be sent."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # by a refusal; uvicorn would log that there was none
