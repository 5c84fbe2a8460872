"""What to paste into an MCP client to have it talk to the demo."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

__all__ = ["claude_code", "claude_desktop", "python_client"]

_CLIENT = """\
import asyncio

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = "{url}"
HEADERS = {{"Authorization": "Bearer {key}"}}


async def main():
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=30) as http,
        Client(streamable_http_client(URL, http_client=http)) as client,
    ):
        found = await client.call_tool("search_deals", {{"query": "acme"}})
        print(found.structured_content["message"])
        for deal in found.structured_content["deals"]:
            print(deal["title"], deal["stage"], deal.get("value"))


asyncio.run(main())
"""


def claude_desktop(database_url: str, key: str) -> str:
    """For `claude_desktop_config.json`: Claude Desktop starts a server of its own on the same database."""
    server = {
        "command": str(Path(sys.executable).with_name("sixty")),
        "args": ["serve", "--transport", "stdio"],
        "env": {"SIXTY_DATABASE_URL": database_url, "SIXTY_TOKEN": key},
    }
    return json.dumps({"mcpServers": {"sixty": server}}, indent=2)


def claude_code(url: str, key: str) -> str:
    """A command that tells Claude Code about the server."""
    return shlex.join(
        ["claude", "mcp", "add", "--transport", "http", "sixty", url, "--header", f"Authorization: Bearer {key}"]
    )


def python_client(url: str, key: str) -> str:
    """A program that searches deals. It needs the package `mcp`."""
    return _CLIENT.format(url=url, key=key)
