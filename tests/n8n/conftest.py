"""One n8n for all tests, and a Sixty server for each, with the credentials by which the one reaches the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for `running` and the others: tests themselves are collected by path
sys.path.insert(0, str(HERE.parent / "node"))  # for `workshop`

from mailbox import Mailbox, receiving  # noqa: E402 - as above

from crm import Crm, serving  # noqa: E402 - can be imported from here on
from installing import Installed, installed  # noqa: E402 - as above
from running import N8n, running  # noqa: E402 - as above
from workshop import workshop  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sixty.testing.databases import SqliteTemplates


@pytest.fixture(scope="session")
def programs() -> Installed:
    """n8n, and the Node that it runs on."""
    return installed()


@pytest.fixture(scope="session")
def package(programs: Installed, install: Callable[..., Path]) -> Path:
    """The community node as npm packs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", programs.environ["PATH"])  # on which there is a Node that is new enough
        made = workshop(install)
    made.run("npm", "run", "build")
    return made.folder / made.run("npm", "pack", "--ignore-scripts", "--silent").strip()


@pytest.fixture(scope="session")
def n8n(programs: Installed, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8n]:
    """An n8n that has the node."""
    with running(programs, tmp_path_factory.mktemp("n8n"), package) as started:
        yield started


@pytest.fixture(scope="session")
def mailbox(n8n: N8n) -> Iterator[Mailbox]:
    """Where the mails of workflows arrive."""
    with receiving() as opened:
        server = {"host": "127.0.0.1", "port": opened.port, "secure": False, "disableStartTls": True}
        n8n.keep("smtp", "Mail", {"user": "", "password": "", **server})
        yield opened


@pytest.fixture(scope="module")
def crm(
    n8n: N8n, mailbox: Mailbox, sqlite_templates: SqliteTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crm]:
    """A Sixty server that n8n reaches with the key of an admin, and that reaches n8n."""
    mailbox.mails.clear()
    url = sqlite_templates.copy(None, tmp_path_factory.mktemp("crm") / "sixty.db")
    with serving(url, {"SIXTY_N8N_URL": n8n.url, "SIXTY_N8N_API_KEY": n8n.key}) as served:
        n8n.keep("sixtyCrmApi", "Sixty CRM", {"baseUrl": served.url, "apiKey": served.keys["admin"]})
        yield served
