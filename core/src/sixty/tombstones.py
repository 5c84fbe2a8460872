"""Tombstones: which pack took a tool along when it went, for whoever still has an old list of tools."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from sixty.errors import ToolRemoved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.directory import Principal
    from sixty.registry import Registry
    from sixty.roster import Roster

__all__ = ["removed", "tombstones_of"]

ALTERNATIVES = 3
"""Tools that are named in the place of one that has gone, at the most."""
CLOSE = 0.4
"""How alike their names must be, from 0 to 1."""


def tombstones_of(registry: Registry, before: Registry, known: Mapping[str, str], decisions: Roster) -> dict[str, str]:
    """The pack of each tool that was offered once, here or by the roster, and is not offered now."""
    found = dict(known)
    gone = {
        name: decision.accepted
        for name, decision in decisions.packs.items()
        if decision.accepted is not None and name not in registry.packs
    }
    for name, terms in gone.items():
        found.update(dict.fromkeys(terms.tools, name))
    declared = {tool.name for tool in registry.declared_tools}
    found.update({name: before.pack_of[tool].name for name, tool in before.tools.items() if name not in declared})
    for tool in registry.declared_tools:
        lacking = registry.lacks(tool)
        for name, terms in gone.items():
            if not terms.declared.isdisjoint(lacking):
                found[tool.name] = name  # its own pack is still there, and what it needs has gone
    return {tool: pack for tool, pack in found.items() if tool not in registry.tools}


def removed(name: str, pack: str, registry: Registry, principal: Principal) -> ToolRemoved:
    """What a caller is told who asks for a tool that went away with `pack`."""
    visible = [tool.name for tool in registry.visible("tool", principal)]
    instead = get_close_matches(name, visible, n=ALTERNATIVES, cutoff=CLOSE)
    use = f"use {' or '.join(instead)} instead, or " if instead else ""
    msg = f"the tool {name} went away with the pack {pack}; {use}ask for the list of tools again"
    return ToolRemoved(msg, plugin=pack, instead=instead or None)
