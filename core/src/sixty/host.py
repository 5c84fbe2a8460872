"""The host: what a running Sixty holds. It is opened once and closed once; the registry in it is swapped whole."""

from __future__ import annotations

import logging
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sixty import lifecycle
from sixty.audit import AuditTrail
from sixty.auth import Authenticator
from sixty.directory import Identity
from sixty.limits import Limits
from sixty.paging import Totals
from sixty.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from sixty.audit import Entry
    from sixty.config import Settings
    from sixty.registry import Pack, Registry
    from sixty.storage.database import Database

__all__ = ["Host"]

_logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Host:
    """Settings, database, registry and identity of one server, and what every call needs of them."""

    def __init__(
        self, settings: Settings, database: Database, registry: Registry, clock: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self.database = database
        self.registry = registry
        self.clock = clock
        self.timezone = ZoneInfo(settings.timezone)
        self.identity = Identity(database, lambda: self.registry.role_grants)
        self.authenticator = Authenticator(settings, self.identity)
        self.limits = Limits(settings)
        self.audit = AuditTrail(database)
        self.totals = Totals()
        self.secret = os.urandom(32)
        """Seals what clients carry for us."""
        self.tombstones: dict[str, str] = {}
        """The pack of each tool that was served here and has gone."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        *,
        environ: Mapping[str, str] = os.environ,
        plugins: Iterable[tuple[str, object]] | None = None,
        migrate: bool = True,
        clock: Callable[[], datetime] = _now,
    ) -> AsyncIterator[Host]:
        """A host with every allowed pack loaded, migrated and started; all of it released at the end.

        `plugins` are named plugins to load instead of the installed ones. A pack that cannot be loaded, migrated
        or started is quarantined. Raises `ConfigError` for a bad setting.
        """
        registry = lifecycle.discover(settings, environ, plugins)
        if migrate:
            registry = await lifecycle.migrate(settings.database_url, registry)
        database = await open_database(settings.database_url)
        host = cls(settings, database, registry, clock)
        try:
            await lifecycle.start(host)
            try:
                yield host
            finally:
                await lifecycle.stop(host)
        finally:
            await host.audit.close()
            await host.authenticator.close()
            await database.close()

    def observe(self, entry: Entry) -> None:
        """Tell every pack that observes about a settled call; a failing one is logged."""
        for pack, observer in self.registry.observers:
            try:
                observer(entry=entry)
            except Exception:
                _logger.exception("the pack %s failed to observe a call", pack.name)

    def pack(self, name: str) -> Pack | None:
        """The loaded pack of that name, or None."""
        return self.registry.packs.get(name)
