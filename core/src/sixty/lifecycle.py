"""How plugins come and go: found, imported one by one, checked, migrated, started, stopped; or quarantined.

A bad plugin never takes the server or another plugin down: it stays out, and the reason is kept. Which of them
serve, and when that changes, is decided in `lineup.py`.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import sys
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points, version
from typing import TYPE_CHECKING, Any

import pluggy

from sixty import hookspecs
from sixty.config import PackSettings, load_pack_settings, unknown_settings
from sixty.deadlines import in_thread, on_loop
from sixty.errors import ConfigError, OperatorError, PluginError, nearest
from sixty.registry import Pack, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sixty.config import Settings
    from sixty.host import Host

__all__ = [
    "CORE",
    "GROUP",
    "assemble",
    "check_settings",
    "core",
    "discover",
    "installed",
    "load",
    "load_in_time",
    "migrate",
    "scan",
    "start",
    "stop",
    "version_of",
]

GROUP = "sixty.plugins"
"""The entry point group of plugins."""
CORE = "core"
"""The name of the core's own pack, which always serves."""
LOADING = 10.0
"""Seconds that importing a plugin and asking it what it declares may take."""
HOOK = 10.0
"""Seconds that starting or stopping it may take."""
MIGRATION = 300.0
"""Seconds that bringing its tables up to date may take."""

_HOOKS = frozenset(name for name in hookspecs.__all__ if name.startswith("sixty_"))
_logger = logging.getLogger(__name__)


def _none(_pack: Pack) -> Collection[str]:
    return ()


async def discover(
    settings: Settings, environ: Mapping[str, str], plugins: Iterable[tuple[str, object]] | None = None
) -> Registry:
    """The registry of the core and of every installed plugin that the settings allow.

    What cannot be loaded is quarantined. Raises `ConfigError` for a setting that nothing knows.
    """
    named = dict(plugins) if plugins is not None else installed(settings)
    packs: list[Pack] = []
    failed: dict[str, str] = {}
    for name, plugin in named.items():
        try:
            packs.append(await load_in_time(name, plugin, environ))
        except PluginError as error:
            failed[name] = str(error)
    registry = assemble(core(environ), packs, failed)
    check_settings(registry, environ, {*named, *scan()})
    return registry


def core(environ: Mapping[str, str]) -> Registry:
    """The registry of the core alone."""
    return Registry().with_pack(load(CORE, importlib.import_module("sixty.builtin"), environ))


def installed(settings: Settings) -> dict[str, object]:
    """The installed plugins that may load, by name. `ConfigError` if one that the settings name is not there."""
    found = scan()
    for name in settings.plugins or ():
        if name not in found:
            msg = f"SIXTY_PLUGINS names {name!r}, which is not installed{nearest(name, found)}"
            raise ConfigError(msg)
    return {name: plugin for name, plugin in found.items() if settings.plugins is None or name in settings.plugins}


def scan() -> dict[str, object]:
    """Every plugin that is installed at this moment, by name, in order: an entry point, or why it cannot be one."""
    importlib.invalidate_caches()  # somebody may have installed one while we ran
    found: dict[str, object] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        other = found.get(entry.name)
        found[entry.name] = entry if other is None else PluginError(f"two distributions have a plugin {entry.name!r}")
    return found


def version_of(plugin: object) -> str:
    """The version of the distribution that a plugin was found in, or nothing."""
    return plugin.dist.version if isinstance(plugin, EntryPoint) and plugin.dist is not None else ""


def check_settings(registry: Registry, environ: Mapping[str, str], names: Iterable[str]) -> None:
    """Refuse, as a `ConfigError`, a setting that nothing knows. Those of plugins that did not load cannot be judged."""
    models = {name: type(pack.settings) if pack.settings else PackSettings for name, pack in registry.packs.items()}
    unknown_settings({**dict.fromkeys(names), **models}, environ)


def assemble(
    core: Registry,
    packs: Iterable[Pack],
    failed: Mapping[str, str],
    remembered: Callable[[Pack], Collection[str]] = _none,
) -> Registry:
    """The core's registry with every pack that fits, in this order; those that do not, or have failed, quarantined.

    `remembered` gives the names that a pack may rely on although nobody declares them now.
    """
    registry = replace(core, quarantined=dict(failed))
    for pack in packs:
        if pack.name not in failed:
            registry = _fitted(registry, pack)
    lacking = True
    while lacking:  # who goes may have declared what another needs
        lacking = False
        for pack in list(registry.packs.values()):
            if (why := registry.unknown_name(pack, remembered(pack))) is not None:
                registry, lacking = registry.without(pack.name, why), True
    return registry


def _fitted(registry: Registry, pack: Pack) -> Registry:
    try:
        return registry.with_pack(pack)
    except Exception as error:  # noqa: BLE001 - a hook may have returned anything
        return registry.without(pack.name, _reason(error))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, OperatorError) else f"{type(error).__name__}: {error}"


def _looked_at(name: str, plugin: object, environ: Mapping[str, str]) -> Pack:
    """The pack, of which all is known to be what it should be: making schemas runs its code as well."""
    pack = load(name, plugin, environ)
    for offer in pack.offers:
        offer.check()
    _ = pack.terms
    return pack


async def load_in_time(name: str, plugin: object, environ: Mapping[str, str]) -> Pack:
    """The pack that a plugin declares, imported and asked in a thread of its own.

    Raises `PluginError` with the reason if that fails or takes longer than `LOADING` seconds, and `ConfigError` for
    a bad setting.
    """
    try:
        return await in_thread(partial(_looked_at, name, plugin, environ), LOADING)
    except OperatorError:
        raise
    except Exception as error:
        raise PluginError(_reason(error)) from error


def load(name: str, plugin: object, environ: Mapping[str, str]) -> Pack:
    """The pack that a plugin, or the entry point of one, declares.

    Raises `PluginError` for an unknown hook, and whatever the plugin itself raises.
    """
    if isinstance(plugin, PluginError):
        raise plugin
    if name == CORE and plugin is not sys.modules.get("sixty.builtin"):
        raise PluginError("the name core is the core's own")
    distribution = version("sixty-core") if name == CORE else version_of(plugin)
    if isinstance(plugin, EntryPoint):
        plugin = plugin.load()
    manager = pluggy.PluginManager("sixty")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(_explained(plugin, error)) from error
    hook = manager.hook

    def every(results: list[Any]) -> tuple[Any, ...]:
        return tuple(item for result in results for item in result)

    model = next(iter(hook.sixty_settings()), None)
    settings = load_pack_settings(name, model, environ) if model is not None else None
    module = inspect.getmodule(plugin) or plugin
    return Pack(
        name=name,
        version=distribution,
        summary=(inspect.getdoc(module) or "").partition("\n")[0],
        plugin=plugin,
        settings=settings,
        tools=every(hook.sixty_tools()),
        resources=every(hook.sixty_resources()),
        prompts=every(hook.sixty_prompts()),
        completions=every(hook.sixty_completions()),
        tables=next(iter(hook.sixty_tables()), None),
        permissions=every(hook.sixty_permissions()),
        events=every(hook.sixty_events()),
        reactions=every(hook.sixty_reactions()),
        jobs=every(hook.sixty_jobs()),
        schedules=every(hook.sixty_schedules()),
        views=every(hook.sixty_views(settings=settings)),
        searchables=every(hook.sixty_search()),
        extensions=every(hook.sixty_extensions()),
        metrics=every(hook.sixty_metrics()),
    )


def _explained(plugin: object, error: pluggy.PluginValidationError) -> str:
    for name in dir(plugin):
        if name.startswith("sixty_") and name not in _HOOKS:
            return f"{name} is not a hook{nearest(name, _HOOKS)}"
    return str(error)


async def migrate(host: Host, packs: Sequence[Pack]) -> dict[str, str]:
    """Every pack's tables are as it declares them, but for those that failed, and why.

    They are made in a thread of their own, while the server serves. Raises what went wrong if it is the core's own.
    """
    from sixty.storage.migrations import outdated  # noqa: PLC0415 - it needs the registry's types

    behind, failed = await outdated(host.database, packs)
    for pack in behind:
        try:
            failed |= await in_thread(partial(_upgrade, host.settings.database_url, pack), MIGRATION)
        except PluginError as error:
            failed[pack.name] = f"its migration failed: {error}"
    return failed


def _upgrade(url: str, pack: Pack) -> dict[str, str]:
    from sixty.storage.alembic import upgrade_packs  # noqa: PLC0415 - half a second, and rarely needed

    return asyncio.run(upgrade_packs(url, [pack]))


async def start(host: Host, pack: Pack) -> None:
    """The pack has what it needs while the server runs; if it cannot get it, it has released what it held.

    Raises `PluginError` with the reason.
    """
    try:
        await _run(host, pack, "sixty_started")
    except Exception as error:
        _logger.exception("the plugin %s did not start", pack.name)
        await stop(host, pack)
        raise PluginError(f"it did not start: {error}") from error


async def stop(host: Host, pack: Pack) -> None:
    """The pack has released what it held, or has had the time for it."""
    try:
        await _run(host, pack, "sixty_stopping")
    except Exception:
        _logger.exception("the plugin %s failed to stop", pack.name)


async def _run(host: Host, pack: Pack, name: str) -> None:
    """Run a hook that may do something: an async one here, any other in a thread."""
    hook = getattr(pack.plugin, name, None)
    if hook is None:
        return
    bound = partial(hook, **({"host": host} if inspect.signature(hook).parameters else {}))
    pending = bound() if inspect.iscoroutinefunction(hook) else await in_thread(bound, HOOK)
    if inspect.isawaitable(pending):
        await on_loop(pending, HOOK)
