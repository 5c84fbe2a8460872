"""Calls as they go over the wire: in the newest era each by itself, in the era of handshakes within a session."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from benchmarks import wire
from benchmarks.listening import Http, handshake
from benchmarks.openloop.plan import SERIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.openloop.plan import Call

__all__ = ["Session", "opened", "single"]


def single(call: Call) -> bytes:
    """The call by itself."""
    return wire.post(0, call.method, call.token, **call.params).encode()


class Session:
    """A session that one user has with one replica."""

    def __init__(self, port: int, token: str, headers: dict[str, str]) -> None:
        self.port = port
        self._headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {token}", **headers}

    def request(self, call: Call) -> bytes:
        """The call within the session; each has an id of its own, since several are on their way at a time."""
        message = {"jsonrpc": "2.0", "id": SERIAL, "method": call.method, "params": call.params}
        body = json.dumps(message, separators=(",", ":")).replace(f'"{SERIAL}"', SERIAL, 1)
        head = {**self._headers, "Content-Length": len(body)}
        return ("POST /mcp HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()) + "\r\n" + body).encode()


async def opened(ports: Sequence[int], tokens: Iterable[str]) -> dict[str, Session]:
    """By token a session, at each replica in turn."""

    async def one(port: int, token: str) -> tuple[str, Session]:
        http = Http(port, token)
        headers = await handshake(http)
        http.close()
        return token, Session(port, token, headers)

    each = sorted(set(tokens))
    return dict(await asyncio.gather(*(one(ports[n % len(ports)], token) for n, token in enumerate(each))))
