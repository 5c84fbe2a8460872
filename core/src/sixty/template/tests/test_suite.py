"""What every pack must pass."""

from __future__ import annotations

from sixty.testing import PluginSuite


class TestExample(PluginSuite):
    plugin = "sixty_example.plugin"
    name = "example"
