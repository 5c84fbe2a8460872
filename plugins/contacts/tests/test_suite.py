"""What every pack must pass."""

from __future__ import annotations

from sixty.testing import PluginSuite


class TestContacts(PluginSuite):
    plugin = "sixty_contacts.plugin"
    name = "contacts"
