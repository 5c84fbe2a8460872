"""What every pack must pass: alone, where it has nothing to count, and among packs that publish what it counts."""

from __future__ import annotations

import ledger

from sixty.testing import PluginSuite


class TestAnalytics(PluginSuite):
    plugin = "sixty_analytics.plugin"
    name = "analytics"


class TestAnalyticsAmongOthers(PluginSuite):
    plugin = "sixty_analytics.plugin"
    name = "analytics"
    companions = (("ledger", ledger.pack), ("diary", ledger.diary), ("tasks", ledger.tasks))
