"""The four ways to listen, each over a raw socket and as the protocol has it.

Each yields None when the client listens, and from then on the messages that come.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from benchmarks import wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

__all__ = ["KINDS", "Http", "expect", "handshake"]

HANDSHAKE = "2025-11-25"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": HANDSHAKE,
        "capabilities": {},
        "clientInfo": {"name": "sixty-bench", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
JSON = {"Content-Type": "application/json"}
Messages = "AsyncIterator[dict[str, Any] | None]"


class Http:
    """One connection, and one request at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: str = ""
    ) -> tuple[int, dict[str, str]]:
        """The status and the headers of the answer, as soon as they are there. Connects where that is not so yet."""
        if not hasattr(self, "_writer"):
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        every = {
            "Host": f"127.0.0.1:{self._port}",
            "Authorization": f"Bearer {self._token}",
            **headers,
            "Content-Length": str(len(body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.answered = dict(line.lower().split(": ", 1) for line in lines if line)
        return int(status.split()[1]), self.answered

    async def body(self) -> AsyncIterator[bytes]:
        """The parts of the answer's body, as they come."""
        if "content-length" in self.answered:
            yield await self._reader.readexactly(int(self.answered["content-length"]))
            return
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)

    async def events(self) -> AsyncIterator[str]:
        """The data of each event of the answer."""
        rest = b""
        async for part in self.body():
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.startswith(b"data:") and (data := line[5:].strip()):
                    yield data.decode()

    def close(self) -> None:
        """The connection is gone."""
        self._writer.close()


async def stream(port: int, token: str) -> AsyncIterator[dict[str, Any] | None]:
    """A listen stream of the newest era."""
    http = Http(port, token)
    body = wire.rpc("subscriptions/listen", notifications={"toolsListChanged": True})
    expect(200, *await http.send("POST", "/mcp", wire.headers("subscriptions/listen"), body))
    async for data in http.events():
        message = json.loads(data)
        yield None if message["method"] == "notifications/subscriptions/acknowledged" else message


async def session(port: int, token: str) -> AsyncIterator[dict[str, Any] | None]:
    """The GET stream of a session of the handshake era."""
    http = Http(port, token)
    ours = await handshake(http)
    expect(200, *await http.send("GET", "/mcp", ours))
    yield None
    async for data in http.events():
        yield json.loads(data)


async def sse(port: int, token: str) -> AsyncIterator[dict[str, Any] | None]:
    """A session over the older transport: events on one connection, posts on others."""
    http = Http(port, token)
    expect(200, *await http.send("GET", "/sse", {"Accept": "text/event-stream"}))
    path = ""
    async for data in http.events():
        if not path:
            path = data
            await posted(port, token, path, INITIALIZE)
        elif (message := json.loads(data)).get("id") == INITIALIZE["id"]:
            await posted(port, token, path, INITIALIZED)
            yield None
        else:
            yield message


async def socket(port: int, token: str) -> AsyncIterator[dict[str, Any] | None]:
    """A session over a WebSocket, which also answers pings."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/ws"), subprotocols=[Subprotocol("mcp")])
    request = protocol.connect()
    request.headers["Authorization"] = f"Bearer {token}"
    protocol.send_request(request)
    while True:
        writer.writelines(protocol.data_to_send())
        if not (data := await reader.read(65536)):
            return
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Response):
                expect(101, event.status_code, dict(event.headers))
                protocol.send_text(json.dumps(INITIALIZE).encode())
            elif isinstance(event, Frame) and event.opcode is event.opcode.TEXT:
                message = json.loads(bytes(event.data))
                if message.get("id") == INITIALIZE["id"]:
                    protocol.send_text(json.dumps(INITIALIZED).encode())
                    writer.writelines(protocol.data_to_send())
                    yield None
                else:
                    yield message


KINDS: dict[str, Callable[[int, str], AsyncIterator[dict[str, Any] | None]]] = {
    "listen streams": stream,
    "GET streams": session,
    "SSE": sse,
    "WebSocket": socket,
}


async def handshake(http: Http) -> dict[str, str]:
    """A session is open. The headers by which each of its requests is known."""
    accept = {"Accept": "application/json, text/event-stream"}
    _, answered = expect(200, *await http.send("POST", "/mcp", JSON | accept, json.dumps(INITIALIZE)))
    await drained(http)
    ours = {"Mcp-Session-Id": answered["mcp-session-id"], "MCP-Protocol-Version": HANDSHAKE, **JSON, **accept}
    expect(202, *await http.send("POST", "/mcp", ours, json.dumps(INITIALIZED)))
    await drained(http)
    return ours


async def posted(port: int, token: str, path: str, message: dict[str, Any]) -> None:
    """The message was sent over a connection of its own, and accepted."""
    http = Http(port, token)
    expect(202, *await http.send("POST", path, {**JSON, "Connection": "close"}, json.dumps(message)))
    http.close()


async def drained(http: Http) -> None:
    """The answer has been read to its end."""
    async for _ in http.body():
        pass


def expect(status: int, came: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    """What came, if it is what was expected."""
    if came != status:
        raise ValueError(f"answered {came} and not {status}: {headers}")
    return came, headers
