"""One line of the trail, as whoever settles a call knows it. What of it is kept, and how, is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sixty.offers import OfferKind

__all__ = ["Entry"]

_WELL = ("ok", "repeated", "input_required")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One settled call, or something else that was done."""

    call_id: str
    at: datetime
    user_id: str | None = None
    tool: str
    effect: str | None = None
    outcome: str
    """`ok`, `repeated` (answered again under its idempotency key), or the code of the error."""
    message: str | None
    arguments: Any
    records: Mapping[str, str] = field(default_factory=dict)
    """The kind of each record that was written, by id."""
    transport: str
    client: str | None = None
    address: str | None = None
    microseconds: int = 0
    seen: Mapping[str, str] = field(default_factory=dict)
    """The kind of each record that was shown, by id."""
    kind: OfferKind = "tool"
    """What `tool` names."""

    @property
    def is_error(self) -> bool:
        """Whether the call came to an error. An answer that is given again is none, nor is a question to the client."""
        return self.outcome not in _WELL
