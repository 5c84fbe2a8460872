"""The pack beside stand-ins for those whose records it counts, which are written as a test wants them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `ledger`, `pages` and `reckoning`

import ledger

from sixty_analytics import plugin


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("ledger", ledger.pack), ("diary", ledger.diary), ("tasks", ledger.tasks), ("analytics", plugin))
