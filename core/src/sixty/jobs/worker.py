"""The worker: does the jobs that are due, beside those of every other process on the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["Worker"]


class Worker:
    """What one process does of the jobs that are due."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once for what is due."""
        self._woken.set()
