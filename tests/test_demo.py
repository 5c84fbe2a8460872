"""The demo as somebody sees it who has just installed everything: `sixty demo`."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters
from rich.console import Console

from sixty import Permissions, hookimpl
from sixty.cli import cli
from sixty.demo.leading import Place
from sixty.demo.loading import Badge
from sixty.demo.tour import tour
from sixty.directory import User
from sixty_deals import plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty.demo import Demo

SIXTY = str(Path(sys.executable).with_name("sixty"))
STEPS = 17


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A demo that serves. Nothing of its environment may reach it."""
    environ = {
        **os.environ,
        "SIXTY_DATABASE_URL": "sqlite+aiosqlite:////nowhere/else.db",
        "SIXTY_RATE_STANDARD": "1/day",
    }
    with subprocess.Popen(  # noqa: S603 - our own command
        [SIXTY, "demo", "--port", "0"],
        cwd=tmp_path_factory.mktemp("demo"),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def printed(serving: subprocess.Popen[str]) -> str:
    """What it has printed when it serves."""
    assert serving.stdout is not None
    lines = []
    for line in serving.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            return "".join(lines)
    assert serving.stderr is not None
    pytest.fail("".join(lines) + serving.stderr.read())


def section(printed: str, title: str) -> str:
    """What stands below a title."""
    (found,) = re.findall(rf"^{title}.*\n((?:.*\n)+?)\n(?=[A-Z]|\Z)", printed, re.MULTILINE)
    return str(found)


def ran(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command that has ended, in the current folder."""
    return subprocess.run(  # noqa: S603 - our own commands
        command, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_tour_comes_out_as_expected_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = ran(SIXTY, "demo", "--tour", "--port", "0")
    assert (shown.returncode, shown.stderr) == (0, "")
    counted = r"3 teams, 9 users, 40 companies, 2\d\d activities, 128 contacts, 120 deals, 2\d\d tasks: "
    assert re.search(counted, shown.stdout)
    assert re.findall(r"^(\d+)\. ", shown.stdout, re.MULTILINE) == [str(step + 1) for step in range(STEPS)]
    assert shown.stdout.count("✓") >= STEPS
    assert "✗" not in shown.stdout
    assert '"code": "forbidden"' in shown.stdout
    assert "\x1b" not in shown.stdout  # no colours where there is no terminal
    assert list(tmp_path.iterdir()) == []


def test_where_signs_cannot_be_printed_there_are_words() -> None:
    shown = ran(SIXTY, "demo", "--tour", "--port", "0", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "ok: the new deal is found first" in shown.stdout


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        (("deals:*",), "delete_deal is shown to the admin alone"),
        (("deals:read", "deals:create"), "move_deal_stage succeeds"),
    ],
)
def test_a_step_that_does_not_come_out_as_expected_ends_the_tour_with_status_1(
    monkeypatch: pytest.MonkeyPatch, grants: tuple[str, ...], expected: str
) -> None:
    @hookimpl
    def sixty_permissions() -> tuple[Permissions, ...]:
        return (Permissions("deals", usual.actions, {**usual.grants, "manager": ("deals:*",), "user": grants}),)

    @hookimpl
    def sixty_demo(demo: Demo) -> None:
        """No deals: somebody who may not move them cannot have done so."""

    (usual,) = plugin.sixty_permissions()
    monkeypatch.setattr(plugin, "sixty_permissions", sixty_permissions)
    monkeypatch.setattr(plugin, "sixty_demo", sixty_demo)
    result = CliRunner().invoke(cli, ["demo", "--tour", "--port", "0"])
    assert result.exit_code == 1
    assert f"✗ expected: {expected}" in result.stdout
    assert "The tour ended early" in result.stdout
    assert "Ada splits" not in result.stdout


async def test_a_server_that_is_not_there_ends_the_tour(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/mcp"
    now = datetime(2026, 3, 2, tzinfo=UTC)
    nobody = User("", "", "Uma Lindqvist", "user", None, None, now, None)
    badges = {role: Badge(nobody, "sk60_none") for role in ("user", "admin")}
    console = Console(file=StringIO(), soft_wrap=True)
    assert not await tour(url, badges, now.date(), console, Place("sqlite+aiosqlite://", Path()))
    assert "expected: the server answers" in console.file.getvalue()
    assert "the tour broke off" in caplog.text


def test_the_address_and_a_key_for_each_role_are_printed(printed: str) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/mcp\n", section(printed, "The server"))
    keys = re.findall(r"^(\w+) +(sk60_\S+) +\w+ \w+$", section(printed, "A key for each role"), re.MULTILINE)
    assert [role for role, _ in keys] == ["user", "manager", "admin"]


def test_the_python_client_runs_as_it_is_printed(printed: str) -> None:
    client = ran(sys.executable, "-c", printed[printed.index("import asyncio") : printed.index("Serving until")])
    assert (client.returncode, client.stderr) == (0, "")
    assert "Enterprise License opportunity 50000" in client.stdout


async def test_the_server_that_claude_desktop_is_told_of_starts(printed: str) -> None:
    told = json.loads(section(printed, "Claude Desktop"))["mcpServers"]["sixty"]
    async with Client(StdioServerParameters(**told)) as client:
        found = await client.call_tool("search_deals", {"query": "enterprise acme"})
    assert found.structured_content is not None
    assert found.structured_content["deals"][0]["title"] == "Enterprise License"


def test_the_command_for_claude_code_names_the_server_and_a_key(printed: str) -> None:
    words = shlex.split(section(printed, "Claude Code"))
    assert words[:6] == ["claude", "mcp", "add", "--transport", "http", "sixty"]
    assert words[6] == section(printed, "The server").strip()
    assert words[7:8] == ["--header"]
    assert words[8].startswith("Authorization: Bearer sk60_")


def test_it_ends_well_when_it_is_interrupted(serving: subprocess.Popen[str], printed: str) -> None:
    serving.send_signal(signal.SIGINT)
    rest, errors = serving.communicate(timeout=30)
    assert (serving.returncode, errors) == (0, "")
    assert "Stopped." in rest
