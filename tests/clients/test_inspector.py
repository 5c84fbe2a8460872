"""The MCP Inspector's command line, which a developer tries a server with: over each transport, in each era."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Organisation

    Inspect = Callable[..., tuple[int, Any]]

pytestmark = [
    pytest.mark.clients,
    pytest.mark.parametrize("organisation", ["sqlite"], indirect=True, scope="module"),
]

WAYS = ["http-modern", "http-legacy", "sse-legacy", "stdio-modern"]
NO_LOGIN, TOOL_ERROR = 3, 5
"""The status with which it ends."""


@pytest.fixture
def inspect(npm: Path, organisation: Organisation, server: str, sixty: str, tmp_path: Path) -> Inspect:
    """Its status and what it prints, asked over a transport in an era, as `http-modern`."""

    def run(way: str, method: str, *options: str, token: str = organisation.keys["user"]) -> tuple[int, Any]:
        transport, era = way.split("-")
        bearer = ["--header", f"Authorization: Bearer {token}"]
        variables = ["-e", f"SIXTY_TOKEN={token}", "-e", f"SIXTY_DATABASE_URL={organisation.env['SIXTY_DATABASE_URL']}"]
        target = [sixty, "serve"] if transport == "stdio" else [f"{server}/{'sse' if transport == 'sse' else 'mcp'}"]
        modules = npm / "node_modules"
        command = [str(modules / ".bin/node"), str(modules / ".bin/mcp-inspector"), "--cli", "--stored-auth-only"]
        how = ["--transport", transport, "--protocol-era", era, *(variables if transport == "stdio" else bearer)]
        ran = subprocess.run(  # noqa: S603 - the Inspector
            [*command, *how, "--format", "json", "--method", method, *options, "--", *target],
            env={**organisation.env, "HOME": str(tmp_path)},  # where it would keep what it has been told
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return ran.returncode, json.loads(ran.stdout).get("result") if ran.stdout else ran.stderr

    return run


@pytest.mark.parametrize("way", WAYS)
def test_it_lists_the_tools_of_a_user_and_calls_one(inspect: Inspect, way: str) -> None:
    status, listed = inspect(way, "tools/list", "--strict")
    names = {tool["name"] for tool in listed["tools"]}
    assert status == 0
    assert {"add_book", "lend_book"} <= names
    assert not {"retitle_book", "take_stock"} & names
    status, called = inspect(way, "tools/call", "--tool-name", "add_book", "--tool-args-json", '{"title": "Emma"}')
    assert (status, called["structuredContent"]["book"]["title"]) == (0, "Emma")


@pytest.mark.parametrize("way", WAYS[:2])
def test_it_shows_what_was_wrong_with_a_call(inspect: Inspect, way: str) -> None:
    status, called = inspect(way, "tools/call", "--tool-name", "add_book", "--tool-args-json", '{"title": ""}')
    assert status == TOOL_ERROR
    assert json.loads(called["content"][0]["text"])["error"]["field"] == "title"


@pytest.mark.parametrize("way", WAYS[:2])
def test_it_reads_a_resource_and_gets_a_prompt(inspect: Inspect, organisation: Organisation, way: str) -> None:
    _, read = inspect(way, "resources/read", "--uri", f"shelf://books/{organisation.book_id}")
    assert json.loads(read["contents"][0]["text"])["id"] == organisation.book_id
    _, got = inspect(way, "prompts/get", "--prompt-name", "recommend", "--prompt-args", "genre=poetry")
    assert got["messages"][0]["content"]["text"] == "Recommend a book: poetry"


@pytest.mark.parametrize("way", WAYS[:2])
def test_it_is_asked_to_log_in_when_its_token_is_no_good(inspect: Inspect, way: str) -> None:
    assert inspect(way, "tools/list", token="sk60_unknown")[0] == NO_LOGIN
