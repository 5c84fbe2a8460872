"""What the tests of the core share: the fake packs, and an open database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sixty.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from faulty import Faulty

    from sixty.storage.database import Database
    from sixty.testing.databases import SqliteTemplates

sys.path.insert(0, str(Path(__file__).parent))  # for `fakes`: tests themselves are collected by path


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    from fakes import ALL  # noqa: PLC0415 - can be imported from here on

    return ALL


@pytest.fixture(autouse=True)
def _fresh_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fake pack `world` is told and has seen belongs to one test."""
    from fakes import world  # noqa: PLC0415 - as above

    monkeypatch.setattr(world, "STATE", world.State())


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_templates: SqliteTemplates) -> Faulty:
    from faulty import Faulty  # noqa: PLC0415 - as above

    return Faulty(monkeypatch, tmp_path, sqlite_templates)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()
