"""The candidates: which plugins are installed and may load, and what came of loading each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sixty import lifecycle
from sixty.deadlines import in_thread
from sixty.errors import ConfigError, PluginError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sixty.config import Settings
    from sixty.registry import Pack, Registry

__all__ = ["Candidates", "Found"]

SCANNING = 30.0
"""Seconds that looking at what is installed may take."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is installed at one moment."""

    allowed: Mapping[str, object]
    """The plugins that may load, by name."""
    barred: Collection[str]
    """The names of those that SIXTY_PLUGINS leaves out."""

    @property
    def names(self) -> frozenset[str]:
        """All names."""
        return frozenset((*self.allowed, *self.barred))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How loading one version went, since an operator last decided on it."""

    version: str
    decided: datetime | None
    outcome: Pack | str


class Candidates:
    """The installed plugins, or those that were given in their place. Each is loaded once, until something changes."""

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], plugins: Iterable[tuple[str, object]] | None
    ) -> None:
        self._environ = environ
        self._wanted = settings.plugins
        self._given = None if plugins is None else dict(plugins)
        self._attempts: dict[str, _Attempt] = {}
        self._imported: dict[str, str] = {}

    async def found(self) -> Found:
        """What is installed now."""
        if self._given is not None:
            return Found(self._given, ())
        every = await in_thread(lifecycle.scan, SCANNING)  # a hundred distributions take some 30 ms
        allowed = {name: plugin for name, plugin in every.items() if self._wanted is None or name in self._wanted}
        return Found(allowed, every.keys() - allowed.keys())

    def check(self, found: Found) -> None:
        """Refuse, as a `ConfigError`, a plugin that the settings name and that is not installed."""
        if self._given is None:
            for name in self._wanted or ():
                if name not in found.allowed:
                    close = nearest(name, found.names)
                    raise ConfigError(f"SIXTY_PLUGINS names {name!r}, which is not installed{close}")

    def check_settings(self, registry: Registry, found: Found) -> None:
        """Refuse, as a `ConfigError`, a setting that nothing knows."""
        installed = found.names if self._given is None else {*found.names, *lifecycle.scan()}
        lifecycle.check_settings(registry, self._environ, installed)

    async def pack(self, name: str, plugin: object, decided: datetime | None) -> Pack:
        """The pack that a plugin declares, as it was loaded since it was last decided on.

        Raises `PluginError` with the reason, and `ConfigError` for a bad setting.
        """
        version, attempt = lifecycle.version_of(plugin), self._attempts.get(name)
        if attempt is None or (attempt.version, attempt.decided) != (version, decided):
            try:
                outcome: Pack | str = await self.load(name, plugin)
            except PluginError as error:
                outcome = str(error)
            attempt = self._attempts[name] = _Attempt(version, decided, outcome)
        if isinstance(attempt.outcome, str):
            raise PluginError(attempt.outcome)
        return attempt.outcome

    async def load(self, name: str, plugin: object) -> Pack:
        """The pack that a plugin declares at this moment. Raises as `pack` does."""
        version = lifecycle.version_of(plugin)
        if self._imported.get(name, version) != version:
            before = self._imported[name]
            raise PluginError(f"version {version} is installed, and this process has loaded {before}; restart it")
        pack = await lifecycle.load_in_time(name, plugin, self._environ)
        self._imported[name] = version
        return pack

    def give_up(self, name: str, reason: str) -> None:
        """The pack could be loaded, and is of no use all the same: it is not tried again before something changes."""
        attempt = self._attempts[name]
        self._attempts[name] = _Attempt(attempt.version, attempt.decided, reason)
