"""The pack alone, whatever else is installed."""

from __future__ import annotations

import pytest

from sixty_analytics import plugin


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("analytics", plugin),)
