"""How every update of a record begins and ends: there is something to change, and what has come of it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sixty import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sixty import Arguments

__all__ = ["check_given", "told"]


def check_given(updates: Arguments, what: str, lasting: Collection[str]) -> dict[str, Any]:
    """What is given, null included. `Invalid` if that is nothing, or clears what is `lasting`."""
    given = {name: getattr(updates, name) for name in sorted(updates.model_fields_set)}
    if not given:
        allowed = list(type(updates).model_fields)
        msg = f"updates is empty; it may have {', '.join(allowed)}"
        raise Invalid(msg, field="updates", allowed=allowed)
    for name in lasting:
        if name in given and given[name] is None:
            msg = f"updates.{name} cannot be cleared: every {what} has one; give another or leave it out"
            raise Invalid(msg, field=f"updates.{name}")
    return given


def told(what: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What has happened to a record, as one sentence."""
    if after["version"] == before["version"]:
        return f'{what} "{name}" is already so; nothing changed'
    return f'{what} "{name}" updated'
