"""What the checks of `deploy/` share: where it is, and the programs that will read it."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]  # for `deployed`, and for what the benchmarks watch with

from deployed import Served, environment, sixty  # noqa: E402 - found from here on
from things import Postgres, Program, Redis, free_port, postgres_binaries, running  # noqa: E402 - likewise

# in other environments nothing reads what is written here
collect_ignore_glob = [] if find_spec("yaml") and find_spec("kubernetes_validate") else ["test_*.py"]


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Gives the path of a program by its name. Where it is missing the test is skipped, unless CI is true."""
    return _found


def _found(name: str) -> str:
    beside = Path(sys.executable).with_name(name)  # what pip has installed with it
    path = str(beside) if beside.exists() else shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        lacking(f"{name} is missing: see .ci/packages")
    return path


def lacking(reason: str) -> None:
    """Skip the test for want of something, which CI must have."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres of these tests' own."""
    binaries = postgres_binaries()
    if binaries is None:
        lacking("the programs of Postgres are missing: see .ci/packages")
    server = Postgres(binaries)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of these tests' own."""
    server = Redis(program("redis-server"), tmp_path_factory.mktemp("redis") / "log")
    with running(server):
        yield server


@pytest.fixture(scope="session")
def served(postgres: Postgres, redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Sixty with every pack, set up as it is deployed, and an admin's key to it."""
    folder, port = tmp_path_factory.mktemp("sixty"), free_port()
    (folder / "backups").mkdir()
    env = environment(postgres.url, redis.url, folder / "backups")
    sixty("db", "upgrade", env=env)
    sixty("user", "add", "ann@example.com", "--name", "Ann", "--role", "admin", env=env)
    key = sixty("key", "add", "ann@example.com", env=env).strip()
    command = [str(Path(sys.executable).with_name("sixty")), "serve", "--transport", "http", "--port", str(port)]
    with running(Program(command, port, env, folder / "log")):
        yield Served(port, key, env)
