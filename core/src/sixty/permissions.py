"""The grammar of permissions, and what a scope means.

A grant reads `resource:action[:scope]`, with `*` for any resource or action; without a scope it means `all`.
`analytics:team` is short for `analytics:*:team`. A scope looks at a record's own owner and at nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntFlag
from types import MappingProxyType
from typing import TYPE_CHECKING

from sixty.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ROLES", "Grant", "Permissions", "Role", "Scope", "reaches", "scope_of"]

Role = str
ROLES: tuple[Role, ...] = ("user", "manager", "admin")
"""In the order of what they may do; each has its own default grants, given by the packs."""

_SCOPES = ("own", "team", "all")
_WORD = re.compile(r"[a-z][a-z0-9_]*")


class Scope(IntFlag):
    """Whose records a permission reaches; a principal may hold several, and they add up."""

    NONE = 0
    OWN = 1
    """Records that the principal owns."""
    TEAM = 2
    """Records whose owner is in the principal's team today. Without a team: nobody's."""
    ALL = 4
    """Every record, those without an owner too."""

    @property
    def widest(self) -> str:
        """The widest scope held, as a word of the grammar; `none` if there is none."""
        return next((name for name in ("all", "team", "own") if self & Scope[name.upper()]), "none")


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission that somebody holds."""

    resource: str
    action: str
    scope: Scope = Scope.ALL

    @classmethod
    def parse(cls, text: str) -> Grant:
        """The grant that `text` spells; `Invalid` names what is wrong with it."""
        resource, _, rest = text.strip().partition(":")
        action, colon, scope = rest.partition(":") if rest not in _SCOPES else ("*", ":", rest)
        scope = scope if colon else "all"
        if any(word != "*" and not _WORD.fullmatch(word) for word in (resource, action)):
            rule = "resource:action[:own|team|all], for example deals:update:own"
            raise Invalid(f"{text!r} is not a permission; write {rule}", field="permission", given=text, allowed=rule)
        if scope not in _SCOPES:
            raise Invalid(
                f"{scope!r} is not a scope; write own, team or all",
                field="permission",
                given=text,
                allowed=list(_SCOPES),
            )
        return cls(resource, action, Scope[scope.upper()])

    def covers(self, permission: str) -> bool:
        """Whether this grant speaks of `permission`, written `resource:action`."""
        resource, _, action = permission.partition(":")
        return self.resource in ("*", resource) and self.action in ("*", action)

    def __str__(self) -> str:
        scope = "" if self.scope is Scope.ALL else f":{self.scope.widest}"
        return f"{self.resource}:{self.action}{scope}"


def scope_of(grants: Iterable[Grant], permission: str) -> Scope:
    """All scopes that the grants give for `permission`, added up; `Scope.NONE` if it is not held at all."""
    scope = Scope.NONE
    for grant in grants:
        if grant.covers(permission):
            scope |= grant.scope
    return scope


def reaches(scope: Scope, me: str, my_team: str | None, owner: str | None, owners_team: str | None) -> bool:
    """Whether `scope`, held by `me`, reaches a record of `owner`. The same rule in SQL is in `scoping.py`."""
    if scope & Scope.ALL:
        return True
    if owner is None:
        return False
    if scope & Scope.OWN and owner == me:
        return True
    return bool(scope & Scope.TEAM) and my_team is not None and owners_team == my_team


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a pack guards: a resource, its actions, each with a sentence, and what each role gets without further ado.

    The grants of a role hold for the roles after it too: what a user may, a manager may.
    """

    resource: str
    actions: Mapping[str, str]
    grants: Mapping[Role, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def names(self) -> tuple[str, ...]:
        """Every permission of this resource, as `resource:action`."""
        return tuple(f"{self.resource}:{action}" for action in self.actions)
