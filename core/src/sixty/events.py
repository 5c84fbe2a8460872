"""Events and reactions: how packs answer one another without knowing one another."""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import cleandoc, iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar

from sixty.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sixty.context import Call

__all__ = ["ANY", "LIMIT", "Event", "Reaction", "on"]

ANY = "*"
"""What a reaction to every event waits for."""
LIMIT = 100
"""Events of one call at the most, so that reactions that cause one another end."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact, past tense. Derive a frozen dataclass with a `name` such as `deal.stage_changed`."""

    name: ClassVar[str]

    record_id: str
    """The record that it happened to."""
    owner_id: str | None
    """Who owns that record; what a reaction makes belongs to them too."""

    @property
    def named(self) -> frozenset[str]:
        """The ids of the records that it names: its own, and those in fields whose names end in `_id`."""
        ids = (getattr(self, field.name) for field in fields(self) if field.name.endswith("_id"))
        return frozenset(record_id for record_id in ids if record_id is not None) - {self.owner_id}


@dataclass(frozen=True, slots=True, eq=False)
class Reaction:
    """What a pack does when something has happened elsewhere, in the same transaction."""

    event: str
    """The name of what it waits for; `ANY` for every event."""
    handler: Callable[[Any, Call], Awaitable[None]]
    may: tuple[str, ...]
    """The permissions that it acts under, whoever the caller is: the pack's declared automation."""
    description: str

    @property
    def name(self) -> str:
        """How history and audit name it as a cause."""
        return self.handler.__name__


def on(
    event: type[Event] | str, *, may: tuple[str, ...] = ()
) -> Callable[[Callable[[Any, Call], Awaitable[None]]], Reaction]:
    """A reaction made from an async function `(event, call)`; its docstring says what it does.

    An event of another pack is given by name; `"*"` is every event.
    """

    def decorate(function: Callable[[Any, Call], Awaitable[None]]) -> Reaction:
        if not iscoroutinefunction(function):
            msg = f"the reaction {function.__name__} must be an async function"
            raise PluginError(msg)
        name = event if isinstance(event, str) else event.name
        return Reaction(name, function, may, cleandoc(function.__doc__ or ""))

    return decorate
