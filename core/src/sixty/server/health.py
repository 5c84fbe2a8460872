"""`/health`: the process lives. `/ready`: it can serve. Neither asks for a credential or for a Host name."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version
from mmap import PAGESIZE
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from sixty.errors import Unavailable
from sixty.server.replies import reply
from sixty.signals.logs import secrets_of
from sixty.signals.masking import masking
from sixty.storage import migrations

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sixty.host import Host
    from sixty.signals.pulse import Pulse

__all__ = ["Health", "Ready"]

PATIENCE = 5.0
"""Seconds that the database may take to answer."""
KEEP = 1.0
"""Seconds for which an answer is given again, so that asking often costs the database nothing."""

LATE = 1.0
"""Seconds by which the event loop may be late."""

_STATM = Path("/proc/self/statm")
_UNCACHED = [(b"cache-control", b"no-store")]
_logger = logging.getLogger(__name__)


class Health:
    """That the process lives, and how it is: `ok`, or `degraded` if one of its checks is not.

    It is 200 either way: a restart would mend nothing of what is checked.
    """

    def __init__(self, host: Host, pulse: Pulse) -> None:
        self._host = host
        self._pulse = pulse
        self._started = monotonic()
        self._version = version("sixty-core")

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send what is known without asking anybody."""
        checks = self._checks()
        body = {
            "status": "ok" if all(check["ok"] for check in checks.values()) else "degraded",
            "uptime_seconds": round(monotonic() - self._started, 3),
            "version": self._version,
            "memory_bytes": _memory(),
            "checks": checks,
        }
        await reply(send, 200, orjson.dumps(body), _UNCACHED)

    def _checks(self) -> dict[str, dict[str, Any]]:
        host, pulse = self._host, self._pulse
        return {
            "event_loop": {
                "ok": pulse.lag < LATE,
                "lag_seconds": round(pulse.lag, 3),
                "worst_lag_seconds": round(pulse.worst, 3),
            },
            "database": {"ok": host.watch.answers, "connections": host.database.connections},
            "jobs": {"ok": host.worker.answers, "running": host.worker.running},
            "audit": {"ok": host.audit.lost == 0, "waiting": host.audit.waiting, "lost": host.audit.lost},
        }


class Ready:
    """Whether the database answers and the core's tables are current: 503 if not.

    A pack that is quarantined, that waits to be accepted, or whose tables are behind makes the server `degraded`, and
    so does a Redis that does not answer; it serves on without it. A pack that somebody has disabled does not.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._masked = masking(secrets_of(host.settings))
        self._lock = asyncio.Lock()
        self._answer: tuple[int, bytes] = (503, b"")
        self._until = 0.0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send what the database says, or said a moment ago."""
        async with self._lock:
            if monotonic() >= self._until:
                status, body = await self._check()
                self._answer, self._until = (status, orjson.dumps(body)), monotonic() + KEEP
        await reply(send, *self._answer, _UNCACHED)

    async def _check(self) -> tuple[int, dict[str, Any]]:
        registry = self._host.registry
        packs = {
            "quarantined": {name: self._masked(why) for name, why in registry.quarantined.items()},
            "waiting": {name: absent.reason for name, absent in registry.absent.items() if absent.state == "waiting"},
            "disabled": [name for name, absent in registry.absent.items() if absent.state == "disabled"],
        }
        try:
            async with asyncio.timeout(PATIENCE):
                found = await migrations.status(self._host.settings.database_url, list(registry.packs.values()))
        except Exception as error:
            is_known = isinstance(error, Unavailable | TimeoutError)
            _logger.warning("the database does not answer", exc_info=None if is_known else error)
            return 503, {"status": "unavailable", "database": "it does not answer", **packs}
        behind = {
            item.pack: f"its tables are at {item.current or 'nothing'} and should be at {item.head}"
            for item in found
            if item.state == "behind"
        }
        redis = await self._host.limits.trouble()
        lacking = redis or behind or packs["quarantined"] or packs["waiting"]
        state = "unavailable" if "core" in behind else "degraded" if lacking else "ready"
        body = {"status": state, "database": "ok", "migrations": behind or "ok", **packs}
        if self._host.limits.shared is not None:
            body["redis"] = redis or "ok"
        return 503 if state == "unavailable" else 200, body


def _memory() -> int | None:
    """Bytes of memory that the process has in use; None where the system does not tell."""
    return int(_STATM.read_text(encoding="ascii").split()[1]) * PAGESIZE if _STATM.exists() else None
