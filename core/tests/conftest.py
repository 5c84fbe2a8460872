"""What the tests of the core share: an open database, and fake packs to import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sixty.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.storage.database import Database

sys.path.insert(0, str(Path(__file__).parent))  # for `fakes`: tests themselves are collected by path


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return ()  # the core stands alone, whatever is installed


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()
