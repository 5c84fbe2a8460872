"""What every pack must pass."""

from __future__ import annotations

from sixty.testing import PluginSuite


class TestActivities(PluginSuite):
    plugin = "sixty_activities.plugin"
    name = "activities"
