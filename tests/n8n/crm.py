"""A real Sixty server with every installed pack, on a database of its own, and who may ask it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx2

from sixty.people import add_key
from sixty.permissions import ROLES
from sixty.testing.organisation import QUIET, open_organisation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

__all__ = ["Crm", "serving"]

ERA = "2026-07-28"
PATIENCE = 60.0
HERE = {"SIXTY_WEBHOOK_NETWORKS": "127.0.0.0/8"}
"""Events may be sent to this machine."""
_SIXTY = str(Path(sys.executable).with_name("sixty"))


@dataclass(frozen=True)
class Crm:
    """A server that runs, and its organisation: somebody in each role, with an API key."""

    url: str
    file: Path
    environ: Mapping[str, str]
    keys: Mapping[str, str]

    def call(self, tool: str, /, by: str = "admin", **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        result = self._answer(tool, by, arguments)
        assert result["success"], result
        return result

    def refusal(self, tool: str, /, by: str = "admin", **arguments: Any) -> dict[str, Any]:
        """The error of a tool that refuses."""
        result = self._answer(tool, by, arguments)
        assert not result["success"], result
        error: dict[str, Any] = result["error"]
        return error

    def _answer(self, tool: str, by: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        about = {"protocolVersion": ERA, "clientInfo": {"name": "tests", "version": "1"}, "clientCapabilities": {}}
        meta = {f"io.modelcontextprotocol/{name}": value for name, value in about.items()}
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        answer = httpx2.post(
            f"{self.url}/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            headers={
                "Authorization": f"Bearer {self.keys[by]}",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": ERA,
                "Mcp-Method": "tools/call",
                "Mcp-Name": tool,
            },
            timeout=PATIENCE,
            trust_env=False,
        )
        result: dict[str, Any] = answer.json()["result"]["structuredContent"]
        return result

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What is in the database."""
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(statement, values).fetchall()

    def run(self, *arguments: str) -> str:
        """What a command on the command line prints."""
        command = [_SIXTY, *arguments]
        ran = subprocess.run(  # noqa: S603 - our own command
            command, env=dict(self.environ), capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@contextmanager
def serving(url: str, settings: Mapping[str, str]) -> Iterator[Crm]:
    """A server on the SQLite database at `url`, with these settings, on a free port. At the end it ends cleanly."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    environ = {**inherited, **QUIET, **HERE, **settings, "SIXTY_DATABASE_URL": url}
    keys = asyncio.run(_keys(url))
    process = subprocess.Popen(  # noqa: S603 - our own command
        [_SIXTY, "serve", "--transport", "http", "--port", "0"], env=environ, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said: list[str] = []
    try:
        address = _address(process.stderr, said)
        reading = Thread(target=said.extend, args=(process.stderr,), daemon=True)
        reading.start()
        yield Crm(address, Path(url.partition("///")[2]), environ, keys)
        process.terminate()
        assert process.wait(PATIENCE) == 0, "".join(said)
        reading.join(PATIENCE)
        assert "Traceback" not in "".join(said), "".join(said)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def _address(log: IO[str], said: list[str]) -> str:
    for line in log:
        said.append(line)
        if "MCP is served at " in line:
            return line.split()[-1].removesuffix("/mcp")
    raise AssertionError("".join(said))


async def _keys(url: str) -> dict[str, str]:
    async with open_organisation(url) as organisation:
        users = (await organisation.directory()).users
        emails = {role: users[organisation.as_role(role).user_id].email for role in ROLES}
        database, now = organisation.host.database, datetime.now(UTC)
        return {role: (await add_key(database, email, "n8n", now=now))[1] for role, email in emails.items()}
