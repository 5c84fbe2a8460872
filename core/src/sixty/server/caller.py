"""Who sends the message that is being handled: handed from the transport to the protocol's handlers.

The SDK's streams carry the context of each message, so what is set for one message is seen by its handler alone.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixty.directory import Principal

__all__ = ["CALLER", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Either `principal` was authenticated for this very message, or `token` is still to be, at each call."""

    principal: Principal | None = None
    token: str | None = None
    transport: str = "memory"
    address: str | None = None
    idempotency_key: str | None = None


CALLER: ContextVar[Caller] = ContextVar("sixty_caller", default=Caller())  # noqa: B039 - it is frozen
