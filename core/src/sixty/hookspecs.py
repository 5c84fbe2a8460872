"""Every hook that a plugin may implement. Hooks declare and do no I/O; the host does the rest.

A plugin is a module named by an entry point in the group `sixty.plugins`. An implementation is a function with
the hook's name, decorated with `@hookimpl`. All hooks are optional.

A plugin is imported, and asked what it declares, in a thread of its own that has ten seconds; so are the hooks
`sixty_started` and `sixty_stopping`, unless they are async: then they run on the event loop, must not block it, and
have ten seconds too. Its migrations run in a thread and have five minutes. What takes longer, or fails, quarantines the
plugin; the server and the other plugins go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from sixty.audit import Entry
    from sixty.config import PackSettings
    from sixty.demo import Demo
    from sixty.events import Event, Reaction
    from sixty.extensions import Extension
    from sixty.host import Host
    from sixty.jobs.job import Job
    from sixty.jobs.schedule import Schedule
    from sixty.kinds import Searchable, Tables
    from sixty.permissions import Permissions
    from sixty.prompts import Completion, Prompt
    from sixty.resources import Resource
    from sixty.signals.metrics import Metric
    from sixty.tools import Tool
    from sixty.views import Published

__all__ = [
    "hookimpl",
    "hookspec",
    "sixty_completions",
    "sixty_demo",
    "sixty_events",
    "sixty_extensions",
    "sixty_jobs",
    "sixty_metrics",
    "sixty_observe",
    "sixty_permissions",
    "sixty_prompts",
    "sixty_reactions",
    "sixty_resources",
    "sixty_schedules",
    "sixty_search",
    "sixty_settings",
    "sixty_started",
    "sixty_stopping",
    "sixty_tables",
    "sixty_tools",
    "sixty_views",
]

hookspec = pluggy.HookspecMarker("sixty")
hookimpl = pluggy.HookimplMarker("sixty")
"""Marks a function of a plugin as the implementation of a hook."""


@hookspec
def sixty_tools() -> Sequence[Tool]:  # type: ignore[empty-body]
    """The tools that it offers."""


@hookspec
def sixty_resources() -> Sequence[Resource]:  # type: ignore[empty-body]
    """What clients can read by address, and subscribe to."""


@hookspec
def sixty_prompts() -> Sequence[Prompt]:  # type: ignore[empty-body]
    """The prompts that people can start."""


@hookspec
def sixty_completions() -> Sequence[Completion]:  # type: ignore[empty-body]
    """Completes what people type as arguments of prompts and into addresses of resources."""


@hookspec
def sixty_tables() -> Tables:  # type: ignore[empty-body]
    """The tables that it owns, the kinds of records in them, and the folder of their migrations."""


@hookspec
def sixty_permissions() -> Sequence[Permissions]:  # type: ignore[empty-body]
    """What it guards: resources and actions, each with a sentence, and the default grants of each role."""


@hookspec
def sixty_settings() -> type[PackSettings]:  # type: ignore[empty-body]
    """The model of its settings; they are read from `SIXTY_<PACK>_…` and reach handlers as `call.settings`."""


@hookspec
def sixty_events() -> Sequence[type[Event]]:  # type: ignore[empty-body]
    """The events of its own that it publishes, beyond those in `sixty.crm`."""


@hookspec
def sixty_reactions() -> Sequence[Reaction]:  # type: ignore[empty-body]
    """What it does when something has happened elsewhere."""


@hookspec
def sixty_jobs() -> Sequence[Job]:  # type: ignore[empty-body]
    """What it does later: jobs that `call.enqueue` leaves to be done after a call, once and for sure."""


@hookspec
def sixty_schedules() -> Sequence[Schedule]:  # type: ignore[empty-body]
    """Which of its jobs come again and again, and when."""


@hookspec
def sixty_views(settings: PackSettings | None) -> Sequence[Published]:  # type: ignore[empty-body]
    """The views that it publishes for others to query; `settings` are the pack's own, where it has any."""


@hookspec
def sixty_search() -> Sequence[Searchable]:  # type: ignore[empty-body]
    """Which columns of its records are searched."""


@hookspec
def sixty_extensions() -> Sequence[Extension]:  # type: ignore[empty-body]
    """What it adds to what other packs do, at the extension points that they have in `sixty.crm` or of their own."""


@hookspec
def sixty_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]
    """What it counts of events, and sums up of its tables, for whoever operates the server."""


@hookspec
def sixty_started(host: Host) -> Awaitable[None] | None:
    """Acquire what it needs while it serves; may be async. Runs again when the pack is enabled again."""


@hookspec
def sixty_stopping(host: Host) -> Awaitable[None] | None:
    """Release what it holds; may be async. Runs when it is disabled, and also when its start failed half-way."""


@hookspec
def sixty_observe(entry: Entry) -> None:
    """Be told of a settled call, for metrics and sinks. A failing one is logged and loses no response."""


@hookspec
def sixty_demo(demo: Demo) -> None:
    """Put its part of the demo organisation in: plan calls of its tools, at moments of the last twelve months."""
