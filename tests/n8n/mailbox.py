"""An SMTP server on this machine that keeps what it is given."""

from __future__ import annotations

import socketserver
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

__all__ = ["Mailbox", "receiving"]


@dataclass
class Mailbox:
    """What has arrived."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)

    def texts(self) -> list[tuple[str, str, str]]:
        """To whom, the subject and the text of each mail."""
        return [(str(mail["to"]), str(mail["subject"]), mail.get_content().strip()) for mail in self.mails]


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            command = line[:4].upper().strip()
            if command == b"DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(message_from_bytes(text, policy=policy.default))  # type: ignore[arg-type]
            self._say("221 bye" if command == b"QUIT" else "250 ok")
            if command == b"QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []


@contextmanager
def receiving() -> Iterator[Mailbox]:
    """A mailbox that can be sent to."""
    with _Server() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Mailbox(server.server_address[1], server.mails)
        server.shutdown()
