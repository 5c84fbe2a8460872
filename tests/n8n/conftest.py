"""One n8n for all tests, and a Sixty server for each, with the credentials by which the one reaches the other."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for `running` and the others: tests themselves are collected by path

from mailbox import Mailbox, receiving  # noqa: E402 - as above

from crm import Crm, serving  # noqa: E402 - can be imported from here on
from installing import Installed, installed  # noqa: E402 - as above
from running import N8n, running  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty.testing.databases import SqliteTemplates

NODE = HERE.parents[1] / "plugins/n8n/node"
"""The community node."""


@pytest.fixture(scope="session")
def programs() -> Installed:
    """n8n, and the Node that it runs on."""
    return installed()


@pytest.fixture(scope="session")
def package(programs: Installed) -> Path:
    """The community node as npm packs it. What it is built with is kept beside n8n."""
    manifest = (NODE / "package.json").read_bytes()
    folder = programs.folder / f"node-{hashlib.sha256(manifest).hexdigest()[:12]}"
    shutil.rmtree(folder / "nodes", ignore_errors=True)  # what is gone from the package must not be built
    shutil.copytree(NODE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist", "*.tgz"))
    if not (done := folder / "installed").exists():
        options = ("--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund")
        programs.run("npm", "install", *options, cwd=folder)
        done.touch()
    programs.run("npm", "run", "build", cwd=folder)
    return folder / programs.run("npm", "pack", "--ignore-scripts", "--silent", cwd=folder).strip()


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
