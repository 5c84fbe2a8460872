"""Within what something happens: the call, its user and tool, the job. A log line finds here what it is about.

What is set for one task is seen by that task and by those that it starts; nobody hands it on.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import Context, ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["WITHIN", "apart", "within"]

WITHIN: ContextVar[Mapping[str, Any]] = ContextVar("sixty_within", default=MappingProxyType({}))


@contextmanager
def within(**facts: Any) -> Iterator[None]:
    """What happens in the block happens within this, too. What is None is not known."""
    known = {name: fact for name, fact in facts.items() if fact is not None}
    reset = WITHIN.set({**WITHIN.get(), **known})
    try:
        yield
    finally:
        WITHIN.reset(reset)


def apart() -> Context:
    """A context for a task that serves everybody, whoever happened to start it."""
    return Context()
