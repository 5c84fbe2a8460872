"""The HTTP server as a process: started by the command line, ended by a signal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest
import sqlalchemy as sa
from mcp.client import Client

from sixty.tables import audit

if TYPE_CHECKING:
    from sixty.testing import Organisation

SERVE = ("-c", "from sixty.cli import main; main()", "serve", "--transport", "http", "--port", "0")
PATIENCE = 20


async def start(database_url: str, anonymous_as: str) -> asyncio.subprocess.Process:
    own = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": ""}
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")} | own
    return await asyncio.create_subprocess_exec(
        sys.executable, *SERVE, "--anonymous-as", anonymous_as, env=settings, stderr=asyncio.subprocess.PIPE
    )


async def address(process: asyncio.subprocess.Process) -> str:
    """Where the server says that it serves."""
    assert process.stderr is not None
    async for line in process.stderr:
        if (found := re.search(r"MCP is served at (http://\S+)", line.decode())) is not None:
            return found[1]
    raise AssertionError("it has ended")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_end_and_loses_no_audit_line(
    sixty: Organisation, database_url: str, number: signal.Signals
) -> None:
    process = await start(database_url, "uma.user@example.com")
    async with asyncio.timeout(PATIENCE):
        async with Client(await address(process)) as client:
            assert (await client.call_tool("get_record", {"id": "none"})).is_error
        process.send_signal(number)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert [line["tool"] for line in await sixty.rows(sa.select(audit))] == ["get_record"]


async def test_an_open_session_does_not_keep_it_from_ending(sixty: Organisation, database_url: str) -> None:
    process = await start(database_url, "uma.user@example.com")
    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient() as http:
        url = await address(process)
        client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
        accept = {"Accept": "application/json, text/event-stream"}
        opened = await http.post(url, json=message, headers=accept)
        session = accept | {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        stream = await http.send(http.build_request("GET", url, headers=session), stream=True)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        await stream.aclose()
    assert process.returncode == 0


async def test_it_acts_for_nobody_who_does_not_exist(sixty: Organisation, database_url: str) -> None:
    process = await start(database_url, "nobody@example.com")
    _, err = await process.communicate()
    assert process.returncode not in (0, None)
    assert b"nobody@example.com" in err
    assert b"Traceback" not in err
