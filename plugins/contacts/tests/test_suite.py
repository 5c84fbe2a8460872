"""What every pack must pass."""

from __future__ import annotations

from types import MappingProxyType

from sixty.testing import PluginSuite


class TestContacts(PluginSuite):
    plugin = "sixty_contacts.plugin"
    name = "contacts"
    examples = MappingProxyType(
        {"create_contact": {"first_name": "Anna", "last_name": "Berg", "email": "anna.berg@acme.example"}}
    )
