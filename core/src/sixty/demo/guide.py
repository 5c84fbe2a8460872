"""The guide of the tour: asks by the official MCP client, prints what is asked and answered, ticks off what holds."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from mcp.types import CallToolResult, ContentBlock
    from rich.console import Console

    from sixty.demo.loading import Badge

__all__ = ["Caller", "Guide", "connected"]

PATIENCE = 30.0
"""Seconds that an answer may take."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One person's connection; what they ask and are told is printed."""

    client: Client
    name: str
    email: str
    guide: Guide

    def __str__(self) -> str:
        return self.name.partition(" ")[0]

    async def tools(self) -> set[str]:
        """The names of all tools that they are shown."""
        return {tool.name for tool in (await self.client.list_tools()).tools}

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer; the tour ends if it is an error."""
        answer, _ = await self.call_whole(tool, **arguments)
        return answer

    async def call_whole(self, tool: str, **arguments: Any) -> tuple[dict[str, Any], Sequence[ContentBlock]]:
        """The answer and the blocks that came with it; the tour ends if it is an error."""
        result = await self._ask(tool, arguments)
        answer = result.structured_content or {}
        self.guide.tell(json.dumps(answer["error"]) if result.is_error else answer["message"])
        if result.is_error:
            self.guide.expect(f"{tool} succeeds", False, answer)  # noqa: FBT003 - it does not hold
        return answer, result.content

    async def attempt(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer, whatever it is."""
        answer = (await self._ask(tool, arguments)).structured_content or {}
        self.guide.tell(json.dumps(answer))
        return answer

    async def _ask(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        self.guide.tell(f"> {tool} {json.dumps(arguments)}", style="cyan")
        return await self.client.call_tool(tool, arguments)


@asynccontextmanager
async def connected(url: str, badge: Badge, guide: Guide) -> AsyncIterator[Caller]:
    """Somebody's connection, as long as the block lasts."""
    headers = {"Authorization": f"Bearer {badge.key}"}
    # no proxy of the environment may come between this machine and itself
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(url, http_client=http), read_timeout_seconds=PATIENCE) as client,
    ):
        yield Caller(client, badge.user.name, badge.user.email, guide)


class Unexpected(Exception):
    """The tour ends here."""


class Guide:
    """Prints the tour."""

    def __init__(self, console: Console) -> None:
        self.failed = False
        self._console = console
        self._steps = 0

    def step(self, title: str) -> None:
        """Say what is tried next."""
        self._steps += 1
        self._console.print(f"\n{self._steps}. {title}", style="bold")

    def tell(self, line: str, style: str | None = None) -> None:
        """Print what was asked or answered."""
        if self._console.options.ascii_only:
            line = line.encode("ascii", "replace").decode()
        self._console.print(f"   {line}", style=style)

    def list(self, lines: Iterable[str]) -> None:
        """Print what an answer has in it."""
        for line in lines:
            self.tell(f"  {line}")

    def expect(self, what: str, holds: bool, got: Any) -> None:  # noqa: FBT001 - a fact, not an option
        """Tick it off, or show what came in its place and end the tour."""
        if not holds:
            self.cross(what, got)
            raise Unexpected
        self._console.print(f"   {self._sign('✓', 'ok:')} {what}", style="green")

    def cross(self, what: str, got: Any) -> None:
        """Say what was expected, and what came."""
        self.failed = True
        self._console.print(f"   {self._sign('✗', 'FAILED:')} expected: {what}", style="bold red")
        self.tell(f"got: {got if isinstance(got, Exception) else json.dumps(got)}")

    def _sign(self, sign: str, plain: str) -> str:
        return plain if self._console.options.ascii_only else sign
