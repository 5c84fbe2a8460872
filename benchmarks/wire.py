"""Requests of the newest protocol era, written by hand: what goes over the wire, and a way to send a single one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ask", "call", "headers", "post", "rpc"]

VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "sixty-bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def rpc(method: str, **params: Any) -> str:
    """A JSON-RPC request in one line: what a client writes to a stdio server, and the body of an HTTP one."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    return json.dumps(message, separators=(",", ":"))


def headers(method: str, name: str | None = None, token: str | None = None) -> dict[str, str]:
    """The headers that a POST of such a request carries."""
    return {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": method,
        **({"Mcp-Name": name} if name else {}),
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }


def call(port: int, tool: str, arguments: Mapping[str, Any], token: str | None = None) -> str:
    """A call of a tool, as `post` makes it."""
    return post(port, "tools/call", token, name=tool, arguments=arguments)


def post(port: int, method: str, token: str | None = None, **params: Any) -> str:
    """A request to `/mcp`, head and body, to be written to a connection again and again."""
    body = rpc(method, **params)
    head = {
        "Host": f"127.0.0.1:{port}",
        **headers(method, params.get("name"), token),
        "Content-Length": len(body),
    }
    return "POST /mcp HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n" + body


def ask(port: int, token: str, method: str, **params: Any) -> dict[str, Any]:
    """The result of one request that is made here and now."""
    request = Request(
        f"http://127.0.0.1:{port}/mcp", rpc(method, **params).encode(), headers(method, params.get("name"), token)
    )
    with urlopen(request, timeout=60) as answer:
        result: dict[str, Any] = json.load(answer)["result"]
        return result
