"""`verify.py` tells what serves from what does not, as the workflow will be told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from things import free_port
from written import DEPLOY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployed import Served

pytestmark = pytest.mark.deploy


MADE_UP = "sk60_made_up"


def verify(url: str, *options: str, token: str = MADE_UP) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(DEPLOY / "verify.py"), url, "--patience", "0", *options]
    return subprocess.run(command, env={"SIXTY_TOKEN": token}, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def test_a_server_that_serves_is_verified(served: Served) -> None:
    done = verify(f"http://127.0.0.1:{served.port}", "--expect", version("sixty-core"), token=served.key)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"serves version {version('sixty-core')} with \d\d tools\n", done.stdout)


def test_another_version_is_not_what_was_meant(served: Served) -> None:
    done = verify(f"http://127.0.0.1:{served.port}", "--expect", "9.9.9", token=served.key)
    assert done.returncode == 1
    assert done.stderr == f"It does not serve: version {version('sixty-core')} serves, and not 9.9.9\n"


def test_a_token_that_is_refused_is_no_verification(served: Served) -> None:
    done = verify(f"http://127.0.0.1:{served.port}")
    assert done.returncode == 1
    assert "It does not serve: /mcp answers 401" in done.stderr


def test_where_nobody_listens_nothing_serves() -> None:
    done = verify(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "/health does not answer" in done.stderr


def test_without_a_token_it_says_what_it_needs() -> None:
    command = [sys.executable, "-I", str(DEPLOY / "verify.py"), "http://127.0.0.1:1"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 2
    assert "SIXTY_TOKEN must be an API key" in done.stderr


FIT = {
    "/health": {"status": "ok", "version": "1"},
    "/ready": {"status": "ready"},
    "/mcp": {"result": {"tools": [{"name": "a"}]}},
}


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/health", {"status": "ill"}, "/health says"),
        ("/ready", {"status": "unavailable"}, "/ready says"),
        ("/mcp", {"result": {"tools": []}}, "tools/list is empty"),
        ("/mcp", {"error": {"code": -32601}}, "tools/list is empty"),
    ],
)
def test_whatever_is_unfit_is_named(path: str, answer: dict[str, object], said: str) -> None:
    with answering(FIT) as url:
        assert verify(url).returncode == 0
    with answering({**FIT, path: answer}) as url:
        done = verify(url)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_degraded_server_serves_and_it_is_said_why() -> None:
    with answering({**FIT, "/ready": {"status": "degraded", "redis": "it does not answer"}}) as url:
        done = verify(url)
    assert done.returncode == 0
    assert "degraded" in done.stdout
    assert "it does not answer" in done.stdout


@contextmanager
def answering(answers: Mapping[str, object]) -> Iterator[str]:
    """A server that answers so, whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(answers[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
