"""The pack alone, whatever else is installed, with an n8n on this machine."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from sixty_n8n import plugin

sys.path.insert(0, str(Path(__file__).parent))  # for `fake_n8n`: tests themselves are collected by path

from fake_n8n import KEY, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from fake_n8n import FakeN8n

    from sixty.testing.databases import SqliteTemplates


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("n8n", plugin),)


@pytest.fixture
def database_url(sqlite_templates: SqliteTemplates, environ: Mapping[str, str], tmp_path: Path) -> str:
    """On SQLite alone: the pack stores nothing. What every pack must pass is asked on Postgres, too."""
    return sqlite_templates.copy((("n8n", plugin),), tmp_path / "sixty.db", environ)


@pytest.fixture
def place() -> Iterator[socket.socket]:
    """Where n8n will be."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        yield place


@pytest.fixture
def environ(place: socket.socket) -> Mapping[str, str]:
    return {"SIXTY_N8N_URL": f"http://127.0.0.1:{place.getsockname()[1]}/", "SIXTY_N8N_API_KEY": KEY}


@pytest_asyncio.fixture
async def n8n(place: socket.socket) -> AsyncIterator[FakeN8n]:
    async with running(place) as fake:
        yield fake
