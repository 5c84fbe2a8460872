"""The pack alone, whatever else is installed; and stand-ins for the packs that it answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sixty_tasks import plugin

sys.path.insert(0, str(Path(__file__).parent))  # for `task_neighbours`


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("tasks", plugin),)
