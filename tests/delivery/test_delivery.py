"""What is killed in the middle of it loses no event, and puts none in another's place.

`DELIVERY_EVENTS=10000` is the long form.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from desk import Desk
from things import PATIENCE, Postgres, Program, Thing, free_port, postgres_binaries, running, wait_until

HERE = Path(__file__).parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EVENTS = int(os.environ.get("DELIVERY_EVENTS", "300"))
DEALS = max(10, EVENTS // 50)
RETRIES = ",".join(["0.2"] * 200)
"""A plan that goes on for as long as anybody is killed here; the real one waits for hours."""
BETWEEN, AWAY = (0.3, 2.0), (0.05, 1.0)
"""Seconds between two kills, and for which the killed one is away: at random, at least and at most."""
SIXTY = str(Path(sys.executable).with_name("sixty"))

pytestmark = pytest.mark.delivery


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, list[Thing]]]:
    """The address of an empty database, and what of it can be killed."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/sixty.db", []
        return
    binaries = postgres_binaries()
    if binaries is None:
        reason = "the programs of Postgres are missing: this test kills one of its own"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = Postgres(binaries)
    server.start()
    try:
        yield server.url, [server]
    finally:
        server.remove()


def test_every_event_arrives_and_those_of_a_record_in_order_whatever_is_killed(
    database: tuple[str, list[Thing]], tmp_path: Path
) -> None:
    url, mortal = database
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    rates = {f"SIXTY_RATE_{rate}": "off" for rate in ("STANDARD", "STRICT", "BULK", "AUTH")}
    own = {"SIXTY_DATABASE_URL": url, "SIXTY_WEBHOOK_NETWORKS": "127.0.0.0/8", "SIXTY_WEBHOOK_RETRIES": RETRIES}
    env = {**inherited, **rates, **own}

    def sixty(*arguments: str) -> str:
        return subprocess.run([SIXTY, *arguments], env=env, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours

    sixty("db", "upgrade")
    sixty("user", "add", "ann@example.com", "--name", "Ann", "--role", "manager")
    key = sixty("key", "add", "ann@example.com").strip()
    ports = [free_port() for _ in range(3)]
    servers = [
        Program([SIXTY, "serve", "--transport", "http", "--port", str(port)], port, env, tmp_path / f"{port}.log")
        for port in ports[:2]
    ]
    came = tmp_path / "came.jsonl"
    desk = Desk([f"http://127.0.0.1:{port}" for port in ports[:2]], key)
    with running(*servers):
        secret = desk.subscribe(f"http://127.0.0.1:{ports[2]}/", "deal.stage_changed")
        command = [sys.executable, str(HERE / "receiver.py"), str(ports[2]), str(came), secret]
        receiver = Program(command, ports[2], env, tmp_path / "receiver.log")
        with running(receiver):
            with killed_at_random([*servers, receiver, *mortal]) as kills:
                desk.work(DEALS, EVENTS // DEALS)
            events = sum(map(len, desk.moves.values()))
            with logs_shown(tmp_path):
                wait_until(lambda: events <= len({event.get("id") for event in arrived(came)}), "too few", 3 * PATIENCE)

    told = arrived(came)
    assert events == EVENTS // DEALS * DEALS
    assert not [event for event in told if "error" in event], "a signature was bad"
    first: dict[str, dict[str, Any]] = {}
    for event in told:
        first.setdefault(event["id"], event)  # which may have come again
    moves: dict[str, list[tuple[str, str]]] = {}
    for event in first.values():
        data = event["data"]
        moves.setdefault(data["record_id"], []).append((data["from_stage"], data["to_stage"]))
    assert moves == desk.moves
    for record_id in moves:
        times = [event["timestamp"] for event in first.values() if event["data"]["record_id"] == record_id]
        assert times == sorted(times)
    assert kills.total() >= 3 + len(mortal)
    print(f"{events} events, {len(told)} deliveries, killed: {dict(kills)}")  # noqa: T201 - what the run was like


@contextmanager
def killed_at_random(things: Sequence[Thing]) -> Iterator[Counter[str]]:
    """Within the block one after the other is killed and comes back; at its end all are there."""
    kills: Counter[str] = Counter()
    over = threading.Event()
    chance = random.Random(60)  # noqa: S311 - no secret

    def kill() -> None:
        while kills.total() < 3 + len(things) or not over.is_set():
            over.wait(chance.uniform(*BETWEEN))
            thing = things[kills.total() % len(things)] if kills.total() < len(things) else chance.choice(things)
            thing.kill()
            kills[type(thing).__name__] += 1
            time.sleep(chance.uniform(*AWAY))
            thing.start()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield kills
    finally:
        over.set()
        killer.join()


def arrived(came: Path) -> list[dict[str, Any]]:
    """What the receiver has kept, in the order in which it came. Its last line may have been cut off."""
    lines = came.read_text().splitlines() if came.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


@contextmanager
def logs_shown(folder: Path) -> Iterator[None]:
    """What goes wrong within the block is shown with the ends of all logs."""
    try:
        yield
    except TimeoutError as error:
        ends = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(folder.glob("*.log")))
        raise AssertionError(f"{error}\n{ends}") from error
