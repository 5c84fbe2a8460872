"""Two servers on one database, somebody who calls them, and a receiver who is told of what they do."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from desk import Desk
from services.callers import Callers
from things import Program, free_port

from sixty.config import load_settings
from sixty.host import Host
from sixty.people import add_key, add_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SIXTY = (str(Path(sys.executable).with_name("sixty")),)
WHO = "ann@example.com"
TOLD_OF = "deal.stage_changed"
QUIET = {f"SIXTY_RATE_{rate}": "off" for rate in ("STANDARD", "STRICT", "BULK", "AUTH")}
RETRIES = ",".join(["0.5"] * 200)
"""A plan of retries that goes on for as long as something is away."""


@dataclass
class Office:
    """Everything that a fault may hit, but for the database."""

    url: str
    folder: Path
    env: Mapping[str, str]
    ports: Sequence[int]
    replicas: Sequence[Program]
    callers: Callers
    received: Counter[str]
    """How often each event was received, by its id."""

    @property
    def logs(self) -> str:
        """What the servers have said so far."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


async def settled(url: str) -> str:
    """The key of a new user of a database, which is migrated."""
    environ = {"SIXTY_DATABASE_URL": url}
    async with Host.open(load_settings(environ), environ=environ) as host:
        now = datetime.now(UTC)
        await add_user(host.database, email=WHO, name="Ann", role="manager", now=now)
        _, secret = await add_key(host.database, WHO, "faults", now=now)
        return secret


@contextmanager
def office(
    url: str, key: str, folder: Path, *, command: Sequence[str] = SIXTY, extra: Mapping[str, str] | None = None
) -> Iterator[Office]:
    """Two replicas on the database at `url`, for the length of the block. `command` is what stands for `sixty`."""
    own = {"SIXTY_DATABASE_URL": url, "SIXTY_WEBHOOK_NETWORKS": "127.0.0.0/8", "SIXTY_WEBHOOK_RETRIES": RETRIES}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    env = {**inherited, **QUIET, **own, **(extra or {})}
    with _receiver() as (address, received):
        ports = [free_port(), free_port()]  # only now: the receiver's is none of them
        replicas = [replica(command, port, env, folder / f"{port}.log") for port in ports]
        try:
            with ThreadPoolExecutor() as at_once:
                list(at_once.map(Program.start, replicas))
            Desk([f"http://127.0.0.1:{ports[0]}"], key).subscribe(address, TOLD_OF)
            yield Office(url, folder, env, ports, replicas, Callers(ports, key), received)
        finally:
            for each in replicas:
                each.kill()


def replica(command: Sequence[str], port: int, env: Mapping[str, str], log: Path) -> Program:
    """A server that is not started yet."""
    return Program([*command, "serve", "--transport", "http", "--port", str(port)], port, env, log)


@contextmanager
def _receiver() -> Iterator[tuple[str, Counter[str]]]:
    """The address of a receiver of webhooks, and how often each event has come, by its id."""
    received: Counter[str] = Counter()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            received[self.headers["webhook-id"].removeprefix("msg_")] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
