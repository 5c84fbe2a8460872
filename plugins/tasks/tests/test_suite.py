"""What every pack must pass."""

from __future__ import annotations

from types import MappingProxyType

from sixty.testing import PluginSuite


class TestTasks(PluginSuite):
    plugin = "sixty_tasks.plugin"
    name = "tasks"
    examples = MappingProxyType({"create_task": {"title": "Call Acme"}})
