"""An organisation, the servers on its database, and who connects to them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from sixty.people import add_key
from sixty.permissions import ROLES
from sixty.testing.organisation import QUIET, open_organisation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for `kinds` and `processes`: tests themselves are collected by path

from processes import PATIENCE, Client, serving  # noqa: E402 - can be imported from here on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kinds import Kind

SIXTY = str(Path(sys.executable).with_name("sixty"))


@dataclass(frozen=True)
class Organisation:
    """A database with somebody in each role, and an API key for each of them."""

    env: Mapping[str, str]
    keys: Mapping[str, str]
    book_id: str
    """A book of the admin's, which everybody may read."""

    def run(self, *arguments: str) -> str:
        """What a command on the command line prints."""
        command = [SIXTY, *arguments]
        ran = subprocess.run(command, env=dict(self.env), capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 - our own command
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


class Connect(Protocol):
    """Starts a client of a kind as somebody in a role, at the server with the address `url` unless it is over stdio."""

    def __call__(self, kind: Kind, role: str, url: str) -> Client: ...


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def organisation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """An organisation with every installed pack, first on SQLite, then on Postgres."""
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_templates").copy(None, tmp_path_factory.mktemp("clients") / "sixty.db")
        yield asyncio.run(_founded(url))
        return
    databases = request.getfixturevalue("postgres_templates")
    url = databases.copy(None)
    yield asyncio.run(_founded(url))
    databases.drop(url)


async def _founded(url: str) -> Organisation:
    async with open_organisation(url) as founded:
        users = (await founded.directory()).users
        keys = {}
        for role in ROLES:
            email = users[founded.as_role(role).user_id].email
            _, keys[role] = await add_key(founded.host.database, email, "clients", now=datetime.now(UTC))
        book = (await founded.as_role("admin").call("add_book", title="Emma"))["book"]
    own = {**QUIET, "SIXTY_DATABASE_URL": url}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    return Organisation({**inherited, **own}, keys, book["id"])


@pytest.fixture(scope="module")
def server(organisation: Organisation) -> Iterator[str]:
    """The address of a server on the organisation's database."""
    with serving([SIXTY, "serve", "--transport", "http"], organisation.env) as url:
        yield url


@pytest.fixture(scope="module")
def neighbour(organisation: Organisation) -> Iterator[str]:
    """The address of another server on the same database."""
    with serving([SIXTY, "serve", "--transport", "http"], organisation.env) as url:
        yield url


@pytest.fixture
def sixty() -> str:
    """The command, where it is installed."""
    return SIXTY


@pytest.fixture(scope="module")
def node(npm: Path) -> list[str]:
    """The client for Node, which lies where it finds what it imports."""
    return [str(npm / "node_modules/.bin/node"), shutil.copy(HERE / "client.mjs", npm)]


@pytest.fixture(scope="module")
def connect(request: pytest.FixtureRequest, organisation: Organisation) -> Iterator[Connect]:
    """Starts clients; at the end they go away."""

    def start(kind: Kind, role: str, url: str) -> Client:
        program = [sys.executable, str(HERE / "client.py")]
        if kind.sdk != "python":
            program = request.getfixturevalue("node")
        token = organisation.keys[role]
        own: dict[str, Any] = {"url": url, "token": token}
        if kind.transport == "stdio":
            own = {"command": SIXTY, "env": {**organisation.env, "SIXTY_TOKEN": token}}
        client = Client(program, {"sdk": kind.sdk, "transport": kind.transport, "era": kind.era, **own})
        clients.callback(client.close)
        return client

    with ExitStack() as clients:
        yield start
