"""The pack alone, whatever else is installed."""

from __future__ import annotations

from typing import Any

import pytest

from sixty_deals import plugin


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("deals", plugin),)


@pytest.fixture
def acme() -> dict[str, Any]:
    """What every deal needs."""
    return {"title": "Enterprise License", "company_name": "Acme"}
