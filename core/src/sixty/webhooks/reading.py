"""Nobody is sent what they may not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty.permissions import reaches

if TYPE_CHECKING:
    from sixty.directory import Directory
    from sixty.kinds import Kind

__all__ = ["may_read"]


def may_read(directory: Directory, user_id: str, kind: Kind, owner_id: str | None) -> bool:
    """Whether a user may read a record of this kind and owner, by the directory; somebody who is disabled may not."""
    principal = directory.principal(user_id)
    if principal is None:
        return False
    scope = principal.scope(f"{kind.resource}:read")
    return reaches(scope, user_id, principal.team_id, owner_id, directory.team_of(owner_id))
