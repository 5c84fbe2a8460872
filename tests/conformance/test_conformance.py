"""The protocol's conformance suite against a real `sixty serve`, with a pack that is an ordinary third-party plugin."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.conformance

SIXTY = str(Path(sys.executable).with_name("sixty"))
SCORED = {"2025-11-25": 30, "2026-07-28": 37}
"""How many scenarios each revision requires of a server."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("conformance")
    env = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    env |= {"SIXTY_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/sixty.db", "SIXTY_LOG_LEVEL": "warning"}
    subprocess.run([SIXTY, "user", "add", "ada@example.com", "--role", "admin"], env=env, check=True, timeout=60)  # noqa: S603 - our own command
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [SIXTY, "serve", "--transport", "http", "--port", str(port), "--anonymous-as", "ada@example.com"]
    server = subprocess.Popen(command, env=env)  # noqa: S603 - as above
    try:
        _wait(f"http://127.0.0.1:{port}/ready", server)
        yield f"http://localhost:{port}/mcp"
    finally:
        server.terminate()
        server.wait(15)


def _wait(ready: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server has ended"
        try:
            with urlopen(ready, timeout=5):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server did not get ready")


@pytest.mark.parametrize("revision", SCORED)
def test_every_scored_scenario_passes(npm: Path, url: str, revision: str, tmp_path: Path) -> None:
    command = [
        str(npm / "node_modules/.bin/node"),
        str(npm / "node_modules/.bin/conformance"),
        *("server", "--url", url, "--requirements", revision, "-o", str(tmp_path)),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - the suite
    passed = _passed(finished.stdout)
    print(f"{revision}: {len(passed)} of {SCORED[revision]} scored scenarios pass")  # noqa: T201 - the figure that people look for
    assert finished.returncode == 0, _failures(tmp_path)
    assert len(passed) == SCORED[revision], finished.stdout


def _passed(output: str) -> set[str]:
    """The scored scenarios that passed, by the suite's own summary."""
    run, _, unscored = output.partition("Not scored for ")
    passed = set(re.findall(r"^✓ (\S+): ", run, re.MULTILINE))
    return passed - set(re.findall(r"^  [✓✗] (\S+) \(", unscored, re.MULTILINE))


def _failures(results: Path) -> list[str]:
    return [
        f"{checks.parent.name}: {check['id']}: {check.get('errorMessage')}"
        for checks in sorted(results.rglob("checks.json"))
        for check in json.loads(checks.read_text(encoding="utf-8"))
        if check["status"] == "FAILURE"
    ]
