"""The pack alone, whatever else is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sixty_contacts import plugin

sys.path.insert(0, str(Path(__file__).parent))  # for `neighbours`: tests themselves are collected by path


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("contacts", plugin),)
