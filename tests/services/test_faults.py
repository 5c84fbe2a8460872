"""What is taken away from two servers under load costs nothing that was acknowledged, and they are back at once.

Each fault hits while several agents read, create and move deals, schedule activities and analyze. Afterwards the books
are judged (`books.py`), every answer must have been a proper one, none may have taken longer than `PATIENCE`, and each
server must read and write again within `BACK` of the end of the cause. `FAULTS=long` is the long form.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from services.books import judge, reads, span
from services.callers import BROKEN, OK, Try
from services.hose import Hose
from services.office import Office, office, settled
from sqlalchemy import make_url
from things import Redis, missing, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from things import Postgres

LONG = os.environ.get("FAULTS") == "long"
CALLS = 300 if LONG else 25
"""Calls that succeed before each fault, and again after it."""
OUTAGE = 30.0 if LONG else 7.0
"""Seconds for which what can be away for a while is away."""
PATIENCE = 10.0
"""Seconds after which every call has been answered, whatever has happened."""
BACK = 5.0
"""Seconds from the end of a cause until every server reads and writes again."""

pytestmark = pytest.mark.services


def endure(office: Office, name: str, fault: Callable[[], None], *answers: str) -> list[Try]:
    """Nothing is lost though the fault happens, whose cause has ended when it returns. What was tried while it lasted.

    `answers` are what callers may get beside success.
    """
    callers = office.callers
    with callers.calling():
        wait_until(lambda: callers.ok_since(0) >= CALLS, "nobody is served", 60)
        began = time.monotonic()
        fault()
        ended = time.monotonic()
        wait_until(lambda: _back(office, ended) is not None, f"{name}: nobody is served again", 60)
        wait_until(lambda: callers.ok_since(ended) >= CALLS, f"{name}: hardly anybody is served again", 60)
    back = (_back(office, ended) or 0) - ended
    wait_until(lambda: _told(office), "not every event arrives")
    if BROKEN not in answers:  # a server that is killed takes along what it would have written within half a second
        read = sum(each.came_to == OK and not each.is_write for each in callers.tries)
        wait_until(lambda: asyncio.run(reads(office.url)) >= read, "a read is not in the audit trail")
    came_to = Counter(each.came_to for each in callers.tries)
    longest = max(each.ended - each.began for each in callers.tries)
    late = [each for each in callers.tries if each.came_to != OK and each.began > ended + BACK]
    print(  # noqa: T201 - a line of the table of faults
        f"\n{name}: away {ended - began:.1f} s, {came_to.pop(OK)} calls and {len(callers.writes)} writes acknowledged, "
        f"others {dict(came_to)}, longest wait {longest:.1f} s, back after {back:.1f} s"
    )
    wrong = [each for each in callers.tries if each.came_to not in (OK, *answers)]
    assert not wrong, f"{len(wrong)} answers are none that a caller may get: {wrong[:3]}\n{office.logs[-3000:]}"
    assert "Traceback" not in office.logs, office.logs[-6000:]
    judge(office.url, callers)
    assert longest <= PATIENCE
    assert back <= BACK
    assert not late
    return [each for each in callers.tries if began < each.began and each.ended < ended]


def _back(office: Office, since: float) -> float | None:
    """When the last of the servers read and wrote for the first time after `since`; None before that."""
    firsts = [
        office.callers.first_ok(port, is_write=is_write, since=since)
        for port in office.ports
        for is_write in (False, True)
    ]
    return None if None in firsts else max(first for first in firsts if first is not None)


def _told(office: Office) -> bool:
    """Whether the receiver has each event of a move that was acknowledged."""
    moves = sum(write.tool == "move_deal_stage" for write in office.callers.writes)
    return len(office.received) >= moves


@pytest.fixture(scope="module")
def key(postgres: Postgres) -> str:
    """What is accepted in the database that is copied."""
    return asyncio.run(settled(postgres.url))


@pytest.fixture
def hose(postgres: Postgres) -> Iterator[Hose]:
    """The way from the servers to Postgres."""
    hose = Hose(postgres.port)
    with hose.open():
        yield hose


@pytest.fixture
def url(postgres: Postgres, key: str, hose: Hose) -> str:
    """A database of the test's own, beyond the hose."""
    own = make_url(postgres.database(template="postgres"))
    return own.set(port=hose.port).render_as_string(hide_password=False)


@pytest.fixture
def fleet(url: str, key: str, tmp_path: Path) -> Iterator[Office]:
    """Two servers on Postgres."""
    with office(url, key, tmp_path) as made:
        yield made


def test_a_replica_is_killed(fleet: Office) -> None:
    def killed() -> None:
        fleet.replicas[0].kill()
        time.sleep(OUTAGE / 4)
        fleet.replicas[0].start()

    endure(fleet, "replica killed", killed, BROKEN, "unavailable")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgres_is_restarted(fleet: Office, postgres: Postgres, mode: str) -> None:
    endure(fleet, f"Postgres restarted, {mode}", lambda: postgres.restart(mode), "unavailable")


def test_postgres_does_not_answer(fleet: Office, hose: Hose) -> None:
    def silent() -> None:
        with hose.swallowing():
            time.sleep(OUTAGE)

    endure(fleet, "Postgres does not answer", silent, "unavailable")


def test_postgres_refuses_connections(fleet: Office, hose: Hose) -> None:
    def refused() -> None:
        with hose.refusing():
            time.sleep(OUTAGE / 3)

    endure(fleet, "Postgres refuses connections", refused, "unavailable")


def test_redis_is_killed(url: str, key: str, tmp_path: Path) -> None:
    server = shutil.which("redis-server")
    if server is None:
        missing("redis-server is missing: this test takes one of its own away")
    redis = Redis(server, tmp_path / "redis.txt")

    def killed() -> None:
        redis.kill()
        time.sleep(OUTAGE / 3)
        redis.start()

    limited = {f"SIXTY_RATE_{rate}": "9000/minute" for rate in ("STANDARD", "STRICT", "BULK")}
    with running(redis), office(url, key, tmp_path, extra={"SIXTY_REDIS_URL": redis.url, **limited}) as made:
        tried = endure(made, "Redis killed", killed)
    assert tried


def test_the_disk_is_full(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/sixty.db"
    key = asyncio.run(settled(url))
    full = tmp_path / "full"

    def filled() -> None:
        full.touch()
        time.sleep(OUTAGE / 2)
        full.unlink()

    command = (sys.executable, str(Path(__file__).with_name("cramped.py")), str(full))
    with office(url, key, tmp_path, command=command) as made:
        tried = endure(made, "disk full (SQLite)", filled, "unavailable")
    assert {each.came_to for each in tried if not each.is_write} == {OK}, "reads are served on"
    assert "unavailable" in {each.came_to for each in tried if each.is_write}


class Clock:
    """The clock of a machine, which can be set while programs run there."""

    def __init__(self, folder: Path) -> None:
        libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            missing("libfaketime is missing: this test sets the clock under running servers")
        self._file = folder / "clock"
        self.set(timedelta())
        self.env = {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # as older versions of it have it
        }

    def set(self, by: timedelta) -> None:
        """It is wrong by so much."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{by.total_seconds():+.0f}")
        new.replace(self._file)


def test_the_clock_of_the_machine_is_set(url: str, key: str, tmp_path: Path) -> None:
    # not on SQLite: the library breaks how Python's threads take turns, and there a thread writes
    clock, right = Clock(tmp_path), timedelta()

    def stepped() -> None:
        for wrong in (timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)):
            for step in (wrong, right):
                clock.set(step)
                time.sleep(OUTAGE / 8)

    with office(url, key, tmp_path, extra=clock.env) as made:
        endure(made, "clock set by an hour and a day, to and fro", stepped)
    assert asyncio.run(span(url)) > timedelta(hours=47), "the servers went by that clock"
