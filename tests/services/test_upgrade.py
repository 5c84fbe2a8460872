"""While a new version migrates, the old one serves on, and one server after the other is replaced.

The old code is the repository's own, before `SINCE`. The database goes one revision further than the code of today
knows, so that servers of today start on a database that a newer version has migrated.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from services.books import judge
from services.callers import BROKEN, OK, Callers
from services.office import SIXTY, office, replica
from things import missing, wait_until

from sixty import builtin
from sixty.lifecycle import load
from sixty.storage.migrations import head_of

if TYPE_CHECKING:
    from things import Postgres

pytestmark = pytest.mark.services

SINCE = "core/src/sixty/migrations/0008_sealed.py"
"""The old code is that of the commit before this file came: what people may still run."""
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from sixty_command import main; main()")
CALLS = 25
LATER = '''\
"""A column that no code knows."""

import sqlalchemy as sa
from alembic import op

revision = "9999_later"
down_revision = "{head}"


def upgrade() -> None:
    for table in ("records", "audit", "deals"):
        op.add_column(table, sa.Column("later", sa.Text))
'''


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path on which the old code is found before any other."""
    folder = tmp_path_factory.mktemp("old")
    archive = folder / "old.zip"
    came = _git("log", "--diff-filter=A", "--format=%H", "--", SINCE).split()
    if not came:
        missing("the old code is not to be had: this copy is without its history")
    _git("archive", "--output", str(archive), f"{came[-1]}^", "core", "plugins")
    shutil.unpack_archive(archive, folder)
    return _path(folder)


def _git(*arguments: str) -> str:
    """What git says of the repository; nothing where there is none."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607 - git
    return done.stdout


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same for the code of today, with a revision more."""
    folder = tmp_path_factory.mktemp("new")
    for source in (ROOT / "core/src", *ROOT.glob("plugins/*/src")):
        unwanted = shutil.ignore_patterns("__pycache__", "node")
        shutil.copytree(source, folder / source.relative_to(ROOT), ignore=unwanted)
    head = head_of(load("core", builtin, {}))
    (folder / "core/src/sixty/migrations/9999_later.py").write_text(LATER.format(head=head))
    return _path(folder)


def _path(folder: Path) -> str:
    return os.pathsep.join(str(source) for source in (folder / "core/src", *sorted(folder.glob("plugins/*/src"))))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/sixty.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


def _run(code: tuple[str, ...], path: str, url: str) -> str:
    """What a program of this code says."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    env = {**inherited, "PYTHONPATH": path, "SIXTY_DATABASE_URL": url}
    done = subprocess.run(code, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_lost_while_a_new_version_takes_over(url: str, old: str, new: str, tmp_path: Path) -> None:
    settle = f"import asyncio, services.office as office; print(asyncio.run(office.settled({url!r})))"
    tests = str(ROOT / "tests")
    key = _run((sys.executable, "-c", settle), os.pathsep.join((old, tests)), url).strip()
    with office(url, key, tmp_path, command=COMMAND, extra={"PYTHONPATH": old}) as made:
        callers = made.callers
        with callers.calling():
            _go_on(callers)
            began = time.monotonic()
            assert "core is at 9999_later now" in _run((*COMMAND, "db", "upgrade"), new, url)
            migrated = time.monotonic()
            _go_on(callers)
            wrong = Counter(each.came_to for each in callers.tries) - Counter({OK: sys.maxsize})
            assert set(wrong) <= {"unavailable"}, "while it is migrated, the old code serves on"
            env = {name: value for name, value in made.env.items() if name != "PYTHONPATH"}
            for number, port in enumerate(made.ports):
                made.replicas[number].kill()
                made.replicas[number] = replica(SIXTY, port, env, tmp_path / f"new-{port}.log")
                made.replicas[number].start()
                with urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as ready:
                    assert ready.status == 200
                _go_on(callers)
        came_to = Counter(each.came_to for each in callers.tries)
        longest = max(each.ended - each.began for each in callers.tries)
        print(  # noqa: T201 - a line of the table of faults
            f"\nupgrade: migrated in {migrated - began:.1f} s, {came_to.pop(OK)} calls and {len(callers.writes)} "
            f"writes acknowledged, others {dict(came_to)}, longest wait {longest:.1f} s"
        )
        assert set(came_to) <= {"unavailable", BROKEN}
        assert "Traceback" not in "".join(path.read_text() for path in tmp_path.glob("new-*.log"))
        judge(url, callers)


def _go_on(callers: Callers) -> None:
    since, before = time.monotonic(), len(callers.writes)
    wait_until(lambda: callers.ok_since(since) >= CALLS and len(callers.writes) > before, "nobody is served")
