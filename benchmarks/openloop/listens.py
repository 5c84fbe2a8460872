"""Listen streams, and how long it takes until they hear that what they listen to was written."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, cast

import httptools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.openloop.plan import Kind

__all__ = ["Listeners", "Stream"]

MISSED = 3.0
"""Seconds after which what was not heard of is taken to be missed."""
OK = 200


class Write(Protocol):
    """A write that somebody may hear of."""

    due: float
    counts: bool


class Listeners:
    """All streams that are open, by what they listen to."""

    def __init__(self, notices: Kind) -> None:
        self._notices = notices
        self._streams: defaultdict[str, set[Stream]] = defaultdict(set)

    def add(self, stream: Stream) -> None:
        """The stream has begun to listen."""
        for uri in stream.uris:
            self._streams[uri].add(stream)

    def remove(self, stream: Stream, now: float) -> None:
        """The stream listens no more. What it should have heard long ago, it has missed."""
        for uri in stream.uris:
            self._streams[uri].discard(stream)
        for writes in stream.awaited.values():
            if any(write.counts and now - write.due > MISSED for write in writes):
                self._notices.errors["missed"] = self._notices.errors.get("missed", 0) + 1

    def close(self) -> None:
        """No stream is left."""
        for stream in {stream for streams in self._streams.values() for stream in streams}:
            stream.leave()

    def expect(self, uri: str, write: Write) -> None:
        """A resource is about to be written: whoever listens to it has to hear of that."""
        for stream in self._streams.get(uri, ()):
            stream.awaited[uri].append(write)

    def forget(self, uri: str, write: Write) -> None:
        """The write came to nothing."""
        for stream in self._streams.get(uri, ()):
            if write in stream.awaited[uri]:
                stream.awaited[uri].remove(write)

    def heard(self, stream: Stream, uri: str) -> None:
        """The stream was told that a resource has changed. That counts for all its writes, from the first one on."""
        writes = stream.awaited.pop(uri, [])
        if writes and writes[0].counts:
            self._notices.sent += 1
            self._notices.took.add(perf_counter() - writes[0].due)


class Stream(asyncio.Protocol):
    """One listen stream of the newest era, over a connection of its own."""

    def __init__(
        self,
        listeners: Listeners,
        uris: Sequence[str],
        acknowledged: Callable[[], None],
        refused: Callable[[str], None],
    ) -> None:
        self.uris = uris
        self.awaited: defaultdict[str, list[Write]] = defaultdict(list)
        self._listeners = listeners
        self._acknowledged, self._refused = acknowledged, refused
        self._listens = self._has_left = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._parser = httptools.HttpResponseParser(self)

    def begin(self, request: bytes) -> None:
        """Ask to listen."""
        self._transport.write(request)

    def leave(self) -> None:
        """Go without a word, as a client does whose machine is switched off."""
        if not self._has_left:
            self._leave()
            self._transport.abort()

    def _leave(self) -> None:
        self._has_left = True
        if self._listens:
            self._listeners.remove(self, perf_counter())

    def data_received(self, data: bytes) -> None:
        """The server has sent something."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """A part of an answer's body has come."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and (event := line[5:].strip()):
                self._on_message(json.loads(event))

    def _on_message(self, message: dict[str, Any]) -> None:
        if message.get("method") == "notifications/subscriptions/acknowledged":
            self._listens = True
            self._listeners.add(self)
            self._acknowledged()
        elif message.get("method") == "notifications/resources/updated":
            self._listeners.heard(self, message["params"]["uri"])

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if not self._has_left:
            self._leave()
            if not self._listens:
                self._refused(f"the listen stream was not opened: {exc or self._rest[:600]!r}")
