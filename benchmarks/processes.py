"""Servers as processes: started on a free port, waited for, measured, and always ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.wire import rpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Running", "end", "environment", "first_answer", "free_port", "running", "wait_for"]

PATIENCE = 60.0  # seconds for a server to start, or to end


@dataclass(frozen=True)
class Running:
    """A server that takes connections on a port of the loopback address."""

    port: int
    pid: int

    def memory(self) -> float:
        """Resident memory in MiB."""
        kib = subprocess.check_output(["ps", "-o", "rss=", "-p", str(self.pid)], text=True)  # noqa: S607 - wherever it is
        return round(int(kib) / 1024, 1)


@contextmanager
def running(command: Sequence[str], port: int, settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A server that was started by this command and takes connections; it is ended afterwards."""
    with subprocess.Popen(command, env=environment(settings), stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield Running(port, process.pid)
        finally:
            end(process)


def first_answer(command: Sequence[str], settings: Mapping[str, str] | None = None) -> float:
    """Seconds from starting a stdio server until it has answered `tools/list`."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(rpc("tools/list").encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            elapsed = time.perf_counter() - began
        finally:
            end(process)
    if not json.loads(answer).get("result", {}).get("tools"):
        raise RuntimeError(f"{command[0]} listed no tools: {answer[:500]!r}")
    return elapsed


def free_port() -> int:
    """A port of the loopback address that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(settings: Mapping[str, str] | None) -> dict[str, str]:
    """Our own environment without what would configure Sixty, and with these settings.

    A server starts from byte code, as it does wherever it was installed and has run before.
    """
    left_out = ("SIXTY_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**inherited, **(settings or {})}


def wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    """Return as soon as somebody listens on the port."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}: {process.args!r} ended with {process.poll()}")


def end(process: subprocess.Popen[Any]) -> None:
    """End the process: politely, and when that takes too long, at once."""
    process.terminate()
    try:
        process.wait(PATIENCE / 6)
    except subprocess.TimeoutExpired:
        process.kill()
