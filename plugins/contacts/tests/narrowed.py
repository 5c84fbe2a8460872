"""The pack with other grants: a user reads and writes their own contacts, a manager those of the team."""

from __future__ import annotations

from sixty import Permissions, hookimpl
from sixty_contacts import plugin

globals().update({name: hook for name, hook in vars(plugin).items() if name.startswith("sixty_")})


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    (declared,) = plugin.sixty_permissions()
    grants = {"user": ("contacts:*:own",), "manager": ("contacts:*:team",)}
    return (Permissions(declared.resource, declared.actions, grants),)
