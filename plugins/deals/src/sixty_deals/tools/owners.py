"""A check that several tools make of whose deals they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import NotFound

if TYPE_CHECKING:
    from sixty import Call

__all__ = ["check_owner"]


def check_owner(owner_id: str | None, call: Call) -> None:
    """Raise `NotFound` for somebody who is not in the organisation: a wrong id must not look like an empty pipeline."""
    if owner_id is not None and owner_id not in call.directory.users:
        msg = f"owner_id: there is no user {owner_id}; the deals that search_deals finds show the ids of their owners"
        raise NotFound(msg, field="owner_id", id=owner_id)
