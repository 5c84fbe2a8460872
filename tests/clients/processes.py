"""Processes that the tests start, servers and clients, and what they say line by line."""

from __future__ import annotations

import json
import subprocess
from collections import deque
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import IO

PATIENCE = 60.0
"""Seconds within which everything has to happen, on the slowest of machines."""


class Refused(Exception):
    """The server refused what a client asked for."""


class Lines:
    """The lines of a stream. They are read as they come, so that who writes them never waits."""

    def __init__(self, stream: IO[str]) -> None:
        self.seen: list[str] = []
        self._coming: Queue[str | None] = Queue()
        self._reading = Thread(target=self._read, args=(stream,), daemon=True)
        self._reading.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.seen.append(line)
                self._coming.put(line)
        self._coming.put(None)

    def next(self) -> str:
        """The next line. `EOFError` after the last one, `TimeoutError` if none comes in time."""
        try:
            line = self._coming.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError(f"no line for {PATIENCE:.0f} seconds after {self.seen[-3:]}") from None
        if line is None:
            self._coming.put(None)
            raise EOFError(f"no line after {self.seen[-3:]}")
        return line

    def all(self) -> str:
        """Everything, once the stream has ended."""
        self._reading.join(PATIENCE)
        return "".join(self.seen)


@contextmanager
def serving(command: Sequence[str], env: Mapping[str, str]) -> Iterator[str]:
    """The address of a server over HTTP, which at the end ends cleanly."""
    process = subprocess.Popen([*command, "--port", "0"], env=dict(env), stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    assert process.stderr is not None
    log = Lines(process.stderr)
    try:
        line = ""
        while "MCP is served at " not in line:
            line = log.next()
        yield line.split()[-1].removesuffix("/mcp")
        process.terminate()
        assert process.wait(PATIENCE) == 0, log.all()
        assert "Traceback" not in log.all()
    except EOFError:
        raise AssertionError(log.all()) from None
    finally:
        process.kill()
        process.wait()


class Client:
    """A client in a process of its own: `client.py`, which says how it is spoken to, or `client.mjs`."""

    def __init__(self, command: Sequence[str], how: Mapping[str, Any]) -> None:
        self._name = f"{how['sdk']}-{how['transport']}-{how['era']}"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 - our own scripts
            [*command, json.dumps(how)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._lines = Lines(self._process.stdout)
        self._errors = Lines(self._process.stderr)
        self._told: deque[str] = deque()

    def answer(self) -> Any:
        """The answer to what was asked last. `Refused` if it is an error."""
        while "told" in (line := self._next()):
            self._told.append(line["told"])
        if "error" in line:
            raise Refused(line["error"])
        return line["answer"]

    def ask(self, verb: str, *arguments: Any) -> Any:
        """The answer to this."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        return self.answer()

    def told(self) -> str:
        """What it is told next, such as `notifications/tools/list_changed`."""
        while not self._told:
            self._told.append(self._next()["told"])
        return self._told.popleft()

    def told_until(self, last: str) -> list[str]:
        """What it is told before this."""
        return list(iter(self.told, last))

    def close(self) -> None:
        """It goes away."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            status = self._process.wait(PATIENCE)
        finally:
            self._process.kill()
        assert status == 0, self._errors.all()

    def _next(self) -> Any:
        try:
            return json.loads(self._lines.next())
        except EOFError as error:
            msg = f"{self._name}: {error}\n{self._errors.all()}"
            raise AssertionError(msg) from None
        except TimeoutError as error:
            msg = f"{self._name}: {error}\n{''.join(self._errors.seen)}"
            raise AssertionError(msg) from None
