"""The pack with other grants: a user reads and writes their own contacts, a manager those of the team."""

from __future__ import annotations

from types import ModuleType

from sixty import Permissions, hookimpl
from sixty_contacts import plugin


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    (declared,) = plugin.sixty_permissions()
    grants = {"user": ("contacts:*:own",), "manager": ("contacts:*:team",)}
    return (Permissions(declared.resource, declared.actions, grants),)


narrowed = ModuleType("narrowed_contacts", plugin.__doc__)
vars(narrowed).update({**vars(plugin), "sixty_permissions": sixty_permissions})
