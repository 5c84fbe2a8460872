"""MCP on standard streams, by processes as agents start them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

from sixty.people import add_key, list_keys, revoke_key, set_role
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation

SERVE = ("-c", "from sixty.cli import main; main()", "serve")
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
async def settings(sixty: Organisation, database_url: str) -> Mapping[str, str]:
    """The environment of a server that serves the core alone, for somebody in the role `user`."""
    _, key = await add_key(sixty.host.database, "uma.user@example.com", "stdio", now=datetime.now(UTC))
    own = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": "", "SIXTY_TOKEN": key}
    return {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")} | own


async def start(settings: Mapping[str, str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, *SERVE, env=dict(settings), stdin=pipe, stdout=pipe, stderr=pipe
    )


async def said(process: asyncio.subprocess.Process, *lines: bytes) -> list[Any]:
    """What the server says to each of these lines, before its input ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"".join(lines))
    answers = [json.loads(await process.stdout.readline()) for _ in lines]
    await process.communicate(b"")
    return answers


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_the_official_client_lists_and_calls_until_its_key_is_revoked(
    settings: Mapping[str, str], sixty: Organisation, mode: str, version: str
) -> None:
    server = StdioServerParameters(command=sys.executable, args=list(SERVE), env=dict(settings))
    async with Client(stdio_client(server), mode=mode) as client:
        assert client.protocol_version == version
        assert "get_record" in [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("get_record", {"id": "not an id"})
        assert result.is_error
        for key in await list_keys(sixty.host.database):
            await revoke_key(sixty.host.database, key.id, now=sixty.clock())
        with pytest.raises(MCPError, match="revoked"):
            await client.call_tool("get_record", {"id": "not an id"})
    lines = await sixty.rows(sa.select(audit).order_by(audit.c.at))
    assert [(line["transport"], line["outcome"]) for line in lines] == [
        ("stdio", "invalid"),
        ("stdio", "unauthenticated"),
    ]


@pytest.mark.parametrize("token", [None, "sk60_unknown"])
async def test_without_a_good_credential_it_does_not_start_and_says_what_to_do(
    settings: Mapping[str, str], token: str | None
) -> None:
    changed = {**settings, "SIXTY_TOKEN": token} if token else {n: v for n, v in settings.items() if n != "SIXTY_TOKEN"}
    process = await start(changed)
    out, err = await process.communicate()
    assert process.returncode not in (0, None)
    assert out == b""
    assert b"SIXTY_TOKEN" in err
    assert b"sixty key add" in err
    assert b"Traceback" not in err


async def test_a_line_that_is_no_message_is_answered_and_the_next_one_served(settings: Mapping[str, str]) -> None:
    process = await start({**settings, "SIXTY_MAX_REQUEST_BYTES": "2048"})
    ping = json.dumps(PING).encode() + b"\n"
    answers = await said(process, b"{\n", b"[1]\n", b"\xff\n", b"x" * 5000 + b"\n", ping)
    codes = [answer["error"]["code"] if "error" in answer else answer["id"] for answer in answers]
    assert codes == [-32700, -32600, -32700, -32700, 1]


async def test_it_ends_when_its_input_does(settings: Mapping[str, str]) -> None:
    process = await start(settings)
    out, _ = await process.communicate(b'{"half a line')
    assert (process.returncode, out) == (0, b"")


async def test_what_a_plugin_prints_while_it_loads_does_not_reach_the_client(
    settings: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "noisy.py").write_text('print("loading ...")')
    installed = tmp_path / "noisy-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[sixty.plugins]\nnoisy = noisy\n")
    process = await start({**settings, "PYTHONPATH": str(tmp_path), "SIXTY_PLUGINS": "noisy"})
    out, log = await process.communicate(b"")
    assert (process.returncode, out) == (0, b"")
    assert b"loading ..." in log


async def test_it_ends_cleanly_when_it_is_told_to(settings: Mapping[str, str]) -> None:
    process = await start(settings)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(PING).encode() + b"\n")
    await process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err


SERVE_NOTES = """
import asyncio
from fakes import notes
from sixty.config import load_settings
from sixty.host import Host
from sixty.server.stdio import serve_stdio

async def main():
    async with Host.open(load_settings(), plugins=[("notes", notes)]) as host:
        await serve_stdio(host)

asyncio.run(main())
"""


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_changed_role_is_told(settings: Mapping[str, str], sixty: Organisation, mode: str) -> None:
    told = asyncio.Event()

    async def hear(message: Any) -> None:
        if getattr(message, "method", None) == "notifications/tools/list_changed":
            told.set()

    environ = {name: value for name, value in settings.items() if name != "SIXTY_PLUGINS"}
    environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    server = StdioServerParameters(command=sys.executable, args=["-c", SERVE_NOTES], env=environ)
    async with Client(stdio_client(server), mode=mode, message_handler=hear) as client, AsyncExitStack() as stack:
        if mode == "auto":
            await stack.enter_async_context(client.listen(tools_list_changed=True))
        assert "remove_note" not in [tool.name for tool in (await client.list_tools()).tools]
        await set_role(sixty.host.database, "uma.user@example.com", "manager")
        async with asyncio.timeout(10):
            await told.wait()
