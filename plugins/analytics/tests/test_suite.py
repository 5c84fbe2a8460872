"""What every pack must pass."""

from __future__ import annotations

from sixty.testing import PluginSuite


class TestAnalytics(PluginSuite):
    plugin = "sixty_analytics.plugin"
    name = "analytics"
