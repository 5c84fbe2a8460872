"""One line of the trail, as whoever settles a call knows it. What of it is kept, and how, is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One settled call."""

    call_id: str
    at: datetime
    user_id: str | None
    tool: str
    effect: str | None
    outcome: str
    """`ok`, `repeated` (answered again under its idempotency key), or the code of the error."""
    message: str | None
    arguments: Any
    records: Mapping[str, str]
    """The kind of each record that was written, by id."""
    transport: str
    client: str | None
    address: str | None
    microseconds: int
    seen: Mapping[str, str] = field(default_factory=dict)
    """The kind of each record that was shown, by id."""
