"""What every pack must pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sixty.testing import PluginSuite
from sixty.testing.fixtures import database_url  # noqa: F401 - on both databases again

if TYPE_CHECKING:
    from collections.abc import Mapping


class TestN8n(PluginSuite):
    plugin = "sixty_n8n.plugin"
    name = "n8n"

    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        """Not configured: nothing made up leaves this machine."""
        return {}
