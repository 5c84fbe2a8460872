"""Requests that are refused at the door are in the audit trail, and cannot fill it.

Anybody who reaches the server can be refused as often as they like. So of each address the first refusal for a reason
is a line at once, and those of the next minute become one line that says how many they were.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from sixty.audit import Entry
from sixty.ids import new_id
from sixty.signals.within import apart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.errors import SixtyError
    from sixty.host import Host

__all__ = ["Refused"]

WINDOW = 60.0
"""Seconds whose further refusals are one line."""
ADDRESSES = 1_000
"""Addresses and reasons that are told apart at once; all others are one."""


@dataclass(slots=True)
class _More:
    """Refusals that are not in the trail yet."""

    since: float
    count: int = 0


class Refused:
    """Who was refused at the door, and why."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._more: dict[tuple[str | None, str, str | None], _More] = {}
        host.audit.before_the_end(self._settle_all)

    def add(self, error: SixtyError, address: str | None, seconds: float) -> None:
        """Somebody was refused."""
        self._settle(monotonic() - WINDOW)
        reason = error.details.get("reason")
        entry = self._entry(error.code, error.message, {"reason": reason}, address, seconds)
        self._host.observe(entry)
        key = (address, error.code, reason)
        if key not in self._more and len(self._more) >= ADDRESSES:
            key = (None, error.code, reason)
        if (more := self._more.get(key)) is not None:
            more.count += 1
            if more.count == 1:  # nobody may be refused any more, and it is told all the same
                asyncio.get_running_loop().call_later(WINDOW, self._settle, more.since, context=apart())
            return
        self._more[key] = _More(monotonic())
        self._host.audit.later(entry)

    def _settle_all(self) -> None:
        self._settle(monotonic())

    def _settle(self, until: float) -> None:
        """What began by then is told."""
        for key, more in list(self._more.items()):  # the oldest first
            if more.since > until:
                return
            del self._more[key]
            address, code, reason = key
            if more.count:
                message = f"{more.count} more within a minute"
                arguments = {"reason": reason, "times": more.count}
                self._host.audit.later(self._entry(code, message, arguments, address, 0.0))

    def _entry(
        self, code: str, message: str, arguments: Mapping[str, object], address: str | None, seconds: float
    ) -> Entry:
        return Entry(
            call_id=new_id(),
            at=self._host.clock(),
            tool="authenticate",
            outcome=code,
            message=message,
            arguments=arguments,
            transport="http",
            address=address,
            microseconds=round(seconds * 1e6),
        )
