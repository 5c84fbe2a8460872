"""The events that there are, and what a subscription may ask for."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING

from sixty import crm
from sixty.errors import Invalid, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sixty.events import Event
    from sixty.registry import Registry

__all__ = ["TEST", "accepted_events", "known_events"]

TEST = "webhook.test"
"""The event that somebody sends to themselves."""


def known_events(registry: Registry) -> dict[str, str]:
    """Every event that can be subscribed to, by name and in order, with a sentence."""
    packs = (event for pack in registry.packs.values() for event in pack.events)
    return dict(sorted((event.name, _sentence(event)) for event in (*crm.EVENTS, *packs)))


def accepted_events(registry: Registry, wanted: Iterable[str]) -> list[str]:
    """What is wanted, each once. `Invalid` for a name that no event has: it would be waited for in vain."""
    known = known_events(registry)
    families = {f"{name.partition('.')[0]}.*" for name in known}
    for name in wanted:
        if name != "*" and name not in known and name not in families:
            close = nearest(name, {*known, *families})
            rule = "the name of an event, such as deal.won, all of a kind, such as deal.*, or *"
            raise Invalid(f"events: {name[:80]!r} is not {rule}{close}", field="events", given=name[:80])
    return list(dict.fromkeys(wanted))


def _sentence(event: type[Event]) -> str:
    """The first line of its docstring; not what Python writes for a dataclass without one."""
    text = cleandoc(event.__doc__ or "").partition("\n")[0]
    return "" if text.startswith(f"{event.__name__}(") else text
