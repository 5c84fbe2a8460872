"""How plugins come to be loaded: found, imported one by one, checked, migrated, started; or quarantined.

A bad plugin never takes the server or another plugin down: it stays out, and the reason is kept.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from importlib.metadata import EntryPoint, entry_points, version
from typing import TYPE_CHECKING, Any

import pluggy

from sixty import hookspecs
from sixty.config import PackSettings, load_pack_settings, unknown_settings
from sixty.errors import ConfigError, PluginError, nearest
from sixty.registry import Pack, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sixty.config import Settings
    from sixty.host import Host

__all__ = ["GROUP", "discover", "load", "migrate", "start", "stop"]

GROUP = "sixty.plugins"
"""The entry point group of plugins."""

_HOOKS = frozenset(name for name in hookspecs.__all__ if name.startswith("sixty_"))
_logger = logging.getLogger(__name__)


def discover(
    settings: Settings, environ: Mapping[str, str], plugins: Iterable[tuple[str, object]] | None = None
) -> Registry:
    """The registry of the core and of every installed plugin that the settings allow.

    What cannot be loaded is quarantined. Raises `ConfigError` for a setting that nothing knows.
    """
    registry = Registry().with_pack(load("core", importlib.import_module("sixty.builtin"), environ))
    named = list(plugins) if plugins is not None else _installed(settings)
    for name, plugin in named:
        try:
            registry = registry.with_pack(load(name, plugin, environ))
        except ConfigError:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            _logger.warning("the plugin %s is quarantined: %s", name, reason)
            registry = registry.without(name, reason)
    for pack in list(registry.packs.values()):
        if (why := registry.unknown_events(pack)) is not None:
            registry = registry.without(pack.name, why)
    unjudged = {name for name, _ in named} | {entry.name for entry in entry_points(group=GROUP)}
    models = {name: type(pack.settings) if pack.settings else PackSettings for name, pack in registry.packs.items()}
    unknown_settings({**dict.fromkeys(unjudged), **models}, environ)
    return registry


def _installed(settings: Settings) -> list[tuple[str, object]]:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if settings.plugins is not None:
        for name in settings.plugins:
            if name not in found:
                msg = f"SIXTY_PLUGINS names {name!r}, which is not installed{nearest(name, found)}"
                raise ConfigError(msg)
        found = {name: entry for name, entry in found.items() if name in settings.plugins}
    return sorted(found.items())


def load(name: str, plugin: object, environ: Mapping[str, str]) -> Pack:
    """The pack that a plugin, or the entry point of one, declares.

    Raises `PluginError` for an unknown hook, and whatever the plugin itself raises.
    """
    distribution = version("sixty-core") if name == "core" else ""
    if isinstance(plugin, EntryPoint):
        distribution = plugin.dist.version if plugin.dist is not None else ""
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
        views=every(hook.sixty_views(settings=settings)),
        searchables=every(hook.sixty_search()),
    )


def _explained(plugin: object, error: pluggy.PluginValidationError) -> str:
    for name in dir(plugin):
        if name.startswith("sixty_") and name not in _HOOKS:
            return f"{name} is not a hook{nearest(name, _HOOKS)}"
    return str(error)


async def migrate(url: str, registry: Registry) -> Registry:
    """Every pack's tables are as it declares them; a pack whose migration fails is quarantined.

    Raises what went wrong if it is the core's own.
    """
    from sixty.storage.migrations import upgrade  # noqa: PLC0415 - it needs the registry's types

    failed = await upgrade(url, list(registry.packs.values()))
    for name, reason in failed.items():
        registry = registry.without(name, reason)
    return registry


async def start(host: Host) -> None:
    """Every pack has what it needs while the server runs; one that cannot get it is quarantined."""
    for pack in list(host.registry.packs.values()):
        hook = getattr(pack.plugin, "sixty_started", None)
        if hook is None:
            continue
        try:
            if inspect.isawaitable(pending := hook(host=host)):
                await pending
        except Exception as error:
            _logger.exception("the plugin %s is quarantined: it did not start", pack.name)
            await _release(host, pack)
            host.registry = host.registry.without(pack.name, f"it did not start: {error}")


async def stop(host: Host) -> None:
    """Every pack has released what it held, the last started first."""
    for pack in reversed(list(host.registry.packs.values())):
        await _release(host, pack)


async def _release(host: Host, pack: Pack) -> None:
    hook = getattr(pack.plugin, "sixty_stopping", None)
    if hook is None:
        return
    try:
        if inspect.isawaitable(pending := hook(host=host)):
            await pending
    except Exception:
        _logger.exception("the plugin %s failed to stop", pack.name)
