"""What these tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from things import Postgres, missing, postgres_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A Postgres of a module's own."""
    binaries = postgres_binaries()
    if binaries is None:
        missing("the programs of Postgres are missing: this test takes one of its own away")
    server = Postgres(binaries)
    server.start()
    try:
        yield server
    finally:
        server.remove()
