"""The host: what a running Sixty holds. It is opened once and closed once; the registry in it is swapped whole."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sixty import lifecycle
from sixty.audit import AuditTrail
from sixty.audit.redacting import Redactor
from sixty.audit.sealing import Sealer
from sixty.audit.signing import OWN_KEY, Signer
from sixty.auth import Authenticator
from sixty.config import OWN
from sixty.directory import Identity
from sixty.errors import Unauthenticated
from sixty.jobs.worker import Worker
from sixty.limits import Limits
from sixty.lineup import Lineup
from sixty.paging import Totals
from sixty.shared_secrets import CARRIED, shared_secret
from sixty.signals.exporting import exporting
from sixty.storage.database import open_database
from sixty.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager

    from sixty.audit import Entry
    from sixty.config import Settings
    from sixty.directory import Principal
    from sixty.events import Event
    from sixty.registry import Pack, Registry
    from sixty.signals.tracing import Tracing
    from sixty.storage.database import Database
    from sixty.terms import Terms
    from sixty.watch import Observer

__all__ = ["Host"]

PATIENCE = 5.0
"""Seconds that somebody who asks for what is newest waits for a pack that is being loaded."""

_logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Host:
    """Settings, database, registry and identity of one server, and what every call needs of them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        registry: Registry,
        clock: Callable[[], datetime],
        *,
        environ: Mapping[str, str],
        plugins: Iterable[tuple[str, object]] | None,
        tracing: Tracing | None = None,
    ) -> None:
        self.settings: Settings = settings
        self.database = database
        self.registry = registry
        self.clock = clock
        self.timezone = ZoneInfo(settings.timezone)
        self.identity = Identity(database, lambda: self.registry.role_grants)
        self.authenticator = Authenticator(settings, self.identity)
        self.limits = Limits(settings)
        self.audit = AuditTrail(database, Redactor(settings.audit_redact))
        self.sealer = Sealer(self)
        self.totals = Totals()
        self.secret = os.urandom(32)
        """Seals what clients carry for us; the same in every process on a database."""
        self.tracing = tracing
        """Makes spans; None where nobody collects them."""
        self.call_observers: list[Callable[[Entry], None]] = [] if tracing is None else [tracing.call_settled]
        """Who is told of settled calls, beside packs."""
        self.event_observers: list[Callable[[Event], None]] = []
        """Who is told of events once the calls that published them are committed."""
        self.tombstones: dict[str, str] = {}
        """Which pack took each tool along that is not offered any more."""
        self.watch = Watch(self)
        self.worker = Worker(self)
        self.lineup = Lineup(self, environ, plugins)

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
        async with exporting(environ) as tracing:
            database = await open_database(settings.database_url)
            if tracing is not None:
                database = tracing.database(database)
            core = lifecycle.core(environ)
            host = cls(settings, database, core, clock, environ=environ, plugins=plugins, tracing=tracing)
            try:
                if migrate:
                    await lifecycle.migrate(host, list(host.registry.packs.values()))
                    host.secret = await shared_secret(database, CARRIED)
                    keys, own = [key.encode() for key in settings.audit_key if key != OWN], OWN in settings.audit_key
                    host.audit.signer = Signer(keys, await shared_secret(database, OWN_KEY), takes_own=own)
                    await host.sealer.check_key()
                host.limits.share(host.secret)
                await host.lineup.refresh()
                yield host
            finally:
                await host.lineup.close()
                await host.audit.close()
                await host.sealer.close()
                await host.authenticator.close()
                await host.limits.close()
                await database.close()

    async def refresh(self) -> None:
        """The packs that serve are those that the database says now."""
        await self.lineup.refresh()

    async def enable(self, name: str, *, accept: bool = False) -> Terms | None:
        """The pack serves, here and soon everywhere; see `Lineup.enable`."""
        return await self.lineup.enable(name, accept=accept)

    async def disable(self, name: str, *, force: bool = False) -> bool:
        """The pack does not serve, here and soon anywhere; see `Lineup.disable`."""
        return await self.lineup.disable(name, force=force)

    def watching(self, observer: Observer) -> AbstractAsyncContextManager[None]:
        """Within the block, `observer` is told of what changes, in whatever process."""
        return self.watch.watching(observer)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Within the block, this process does the jobs that are due and seals the audit trail, whoever left them."""
        async with self.worker.working(), self.sealer.sealing():
            yield

    @property
    def behind(self) -> bool:
        """Whether packs have come or gone elsewhere since the registry was built. It costs nothing to ask."""
        return self.identity.packs > self.lineup.version

    def is_current(self, principal: Principal) -> bool:
        """Whether it tells what they may do by the packs that are wanted now. It costs nothing to ask."""
        return not self.behind and self.identity.is_current(principal)

    async def current(self, principal: Principal) -> Principal:
        """The same principal, and what they may do by the packs that are wanted now; the registry follows as well.

        One that is behind is brought up to date, as far as that takes no more than a moment.
        """
        if self.is_current(principal):
            return principal
        if self.behind:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await asyncio.wait((self.lineup.follow(),))
                    if self.behind:  # what ran had begun before the latest change
                        await asyncio.wait((self.lineup.follow(),))
        found = (await self.identity.directory()).principal(principal.user_id)
        if found is None:
            raise Unauthenticated("this account is disabled; ask an administrator", reason="disabled")
        return found

    def observe(self, entry: Entry) -> None:
        """Tell whoever observes about a settled call; a failing one is logged."""
        for tell in self.call_observers:
            try:
                tell(entry)
            except Exception:
                _logger.exception("a call could not be observed")
        for pack, observer in self.registry.observers:
            try:
                observer(entry=entry)
            except Exception:
                _logger.exception("the pack %s failed to observe a call", pack.name)

    def committed(self, event: Event) -> None:
        """Tell whoever observes that an event has happened for good; a failing one is logged."""
        for tell in self.event_observers:
            try:
                tell(event)
            except Exception:
                _logger.exception("the event %s could not be observed", event.name)

    def pack(self, name: str) -> Pack | None:
        """The loaded pack of that name, or None."""
        return self.registry.packs.get(name)
