"""Does what a page tells its reader to do, from top to bottom, and compares what comes out with what it shows.

A block `console` has lines `$ command`, each followed by what it prints: `…` stands for anything, alone on a line for
any lines; white space does not count. An id stands for whatever id comes out in its place, from there on. A command
whose output shows an error must fail, and any other must not.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pages import Page

__all__ = ["Console", "follow"]

PORT = "8060"
"""The port that pages name; a free one takes its place."""
_ID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_FAILS = re.compile(r'^Error|"success": false|^fails', re.MULTILINE)
_MARK = "--- that was all"


@dataclass(frozen=True, slots=True)
class _Command:
    text: str
    shows: str
    line: int


def _commands(text: str, line: int) -> Iterator[_Command]:
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    line += parts[0].count("\n")
    for part in parts[1:]:
        lines = part.splitlines()
        more = next((n for n, later in enumerate(lines[1:], 1) if not later.startswith("> ")), len(lines))
        command = "\n".join([lines[0], *(later[2:] for later in lines[1:more])])
        yield _Command(command, "\n".join(lines[more:]).strip(), line)
        line += len(lines)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@dataclass
class Console:
    """A shell in a folder of its own; what is set in it stays set."""

    folder: Path
    environ: Mapping[str, str]
    said: list[str] = field(default_factory=list)
    """What each command printed."""
    _ids: dict[str, str] = field(default_factory=dict)
    _port: str = field(default_factory=_free_port)

    def __enter__(self) -> Self:
        self._shell = subprocess.Popen(
            ["bash", "--norc"],  # noqa: S607 - the one that a reader has
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=dict(self.environ),
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        os.killpg(self._shell.pid, signal.SIGTERM)  # the shell, and the servers that were started in it
        self._shell.communicate()

    def write(self, name: str, text: str, *, add: bool) -> None:
        """Make a file, or add to one."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if add else "w", encoding="utf-8") as file:
            file.write(self._actual(text))

    def run(self, command: _Command, where: str) -> None:
        """Type one command, and compare."""
        status, output = self._typed(self._actual(command.text))
        self.said.append(output)
        assert (status != 0) == bool(_FAILS.search(command.shows)), f"{where}: exit status {status}, and\n{output}"
        self._compare(command.shows, output, where)

    def _typed(self, text: str) -> tuple[int, str]:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        connected = f"(: < /dev/tcp/127.0.0.1/{self._port}) 2> /dev/null"
        # a command that ends in & is a server, and ready when it can be connected to, or has ended
        wait = f"until {connected} || ! kill -0 $!; do sleep 0.1; done" if text.endswith("&") else ":"
        text = re.sub("&$", "> server.log 2>&1 &", text)  # it would print between what other commands do
        self._shell.stdin.write(f"{text}\nstatus=$?\n{wait}\necho; echo '{_MARK}' $status\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(_MARK):
                return int(line.removeprefix(_MARK)), "".join(lines).strip()
            lines.append(line)
        raise AssertionError(f"the shell ended: {''.join(lines)}")

    def _actual(self, text: str) -> str:
        """A text of the page with what has taken the place of its ids and of its port."""
        return _ID.sub(lambda match: self._ids.get(match[0], match[0]), text).replace(PORT, self._port)

    def _compare(self, shows: str, output: str, where: str) -> None:
        if not shows:
            return
        pattern, new = "", []
        for line in self._actual(shows).splitlines():
            if line.strip() == "…":
                pattern += r"(?:.*\n)*?"
                continue
            for piece in re.split(rf"(…|\s+|{_ID.pattern})", line.strip()):
                if piece == "…":
                    pattern += ".*"
                elif piece.isspace():
                    pattern += r"\s+"
                elif piece in new:
                    pattern += rf"(?:\{new.index(piece) + 1})"
                elif _ID.fullmatch(piece) and piece not in self._ids.values():
                    new.append(piece)
                    pattern += f"({_ID.pattern})"
                else:
                    pattern += re.escape(piece)
            pattern += "\n"
        plain = "".join(f"{line.strip()}\n" for line in output.splitlines())
        match = re.fullmatch(pattern, plain)
        assert match is not None, f"{where} shows\n\n{shows}\n\nand what comes out is\n\n{output}"
        self._ids |= dict(zip(new, match.groups(), strict=True))


def follow(page: Page, console: Console) -> None:
    """Do everything that a page says."""
    for block in page.blocks:
        if block.file is not None:
            console.write(block.file, block.text, add=block.adds)
        elif block.language == "console":
            for command in _commands(block.text, block.line):
                console.run(command, f"{page.name}:{command.line}: {command.text}")
