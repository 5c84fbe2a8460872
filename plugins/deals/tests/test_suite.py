"""What every pack must pass."""

from __future__ import annotations

from sixty.testing import PluginSuite


class TestDeals(PluginSuite):
    plugin = "sixty_deals.plugin"
    name = "deals"
