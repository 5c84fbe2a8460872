"""The official clients, over each transport that they have, in each era that they speak."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One client over one transport in one era."""

    sdk: str
    """`python`; or the name in `@modelcontextprotocol` of one of the TypeScript SDKs, `client` and the older `sdk`."""
    transport: str
    era: str

    def __str__(self) -> str:
        return f"{self.sdk}-{self.transport}-{self.era}"


PYTHON = [
    Kind("python", "stdio", "modern"),
    Kind("python", "stdio", "handshake"),
    Kind("python", "http", "modern"),
    Kind("python", "http", "handshake"),
    Kind("python", "sse", "handshake"),
    Kind("python", "websocket", "modern"),
    Kind("python", "websocket", "handshake"),
]
TYPESCRIPT = [
    Kind("client", "stdio", "modern"),
    Kind("client", "stdio", "handshake"),
    Kind("client", "http", "modern"),
    Kind("client", "http", "handshake"),
    Kind("client", "sse", "handshake"),
    Kind("sdk", "stdio", "handshake"),
    Kind("sdk", "http", "handshake"),
    Kind("sdk", "sse", "handshake"),
    Kind("sdk", "websocket", "handshake"),
]
