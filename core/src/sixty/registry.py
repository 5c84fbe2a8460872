"""What is loaded now, as one immutable value. It is built whole, checked, and swapped whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, TypeVar, cast

from sixty import crm
from sixty.errors import Invalid, PluginError, nearest
from sixty.events import ANY
from sixty.extensions import Extended
from sixty.inflight import InFlight
from sixty.permissions import ROLES, Grant, scope_of
from sixty.scoping import Scoper, tables_in
from sixty.signals.metrics import OWN, Counter, Gauge, Histogram
from sixty.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sixty.config import PackSettings
    from sixty.directory import Principal
    from sixty.events import Event, Reaction
    from sixty.extensions import Extension, Point
    from sixty.jobs.job import Job
    from sixty.jobs.schedule import Schedule
    from sixty.kinds import Detail, Kind, Searchable, Tables
    from sixty.offers import Offer, OfferKind
    from sixty.permissions import Permissions, Role
    from sixty.prompts import Completion, Prompt
    from sixty.resources import Resource
    from sixty.signals.metrics import Metric
    from sixty.tools import Tool
    from sixty.views import Published

__all__ = ["Absent", "Pack", "Registry"]

T = TypeVar("T")
REMEMBERED = 1024
"""Sets of grants for which it is remembered what they show; most principals have those of their role."""


@dataclass(frozen=True, eq=False)
class Pack:
    """One loaded plugin, and everything that it declares."""

    name: str
    version: str
    summary: str
    plugin: Any
    settings: PackSettings | None = None
    tools: tuple[Tool, ...] = ()
    resources: tuple[Resource, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    completions: tuple[Completion, ...] = ()
    tables: Tables | None = None
    permissions: tuple[Permissions, ...] = ()
    events: tuple[type[Event], ...] = ()
    reactions: tuple[Reaction, ...] = ()
    jobs: tuple[Job, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    views: tuple[Published, ...] = ()
    searchables: tuple[Searchable, ...] = ()
    extensions: tuple[Extension, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All that it offers to clients."""
        return (*self.tools, *self.resources, *self.prompts, *self.completions)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of records that it owns."""
        return self.tables.kinds if self.tables else ()

    @property
    def details(self) -> tuple[Detail, ...]:
        """The detail tables that it owns."""
        return self.tables.details if self.tables else ()

    @cached_property
    def terms(self) -> Terms:
        """What it asks for."""
        return Terms.of(self)

    @property
    def awaited(self) -> dict[str, str]:
        """The events that its reactions and metrics wait for, each with who waits."""
        return {
            **{metric.event.name: f"the metric {metric.name}" for metric in self.metrics if _counts(metric)},
            **{item.event: f"the reaction {item.name}" for item in self.reactions if item.event != ANY},
        }

    @property
    def required(self) -> dict[str, str]:
        """The permissions that it names, each with who asks for it."""
        found = {
            permission: f"the reaction {reaction.name}" for reaction in self.reactions for permission in reaction.may
        }
        for kind in self.kinds:
            found.update((guard.permission, f"a guard of the kind {kind.name}") for guard in kind.guards.values())
        for offer in self.offers:
            if offer.permission is not None:
                found[offer.permission] = f"the {offer.kind} {offer.name}"
        return found

    @property
    def relies_on(self) -> frozenset[str]:
        """Every event and permission that it names, whoever declares it."""
        return frozenset((*self.awaited, *self.required))


@dataclass(frozen=True)
class Absent:
    """A pack that does not serve because somebody has decided so, and what was once accepted of it."""

    state: Literal["disabled", "waiting", "not allowed"]
    reason: str
    terms: Terms | None = None


@dataclass(frozen=True, eq=False)
class Registry:
    """Every pack that serves, and what they declare together."""

    packs: Mapping[str, Pack] = field(default_factory=dict)
    quarantined: Mapping[str, str] = field(default_factory=dict)
    """The packs that could not be loaded, and why."""
    absent: Mapping[str, Absent] = field(default_factory=dict)
    in_flight: InFlight = field(default_factory=InFlight, init=False)
    """The calls that run on it."""

    def with_pack(self, pack: Pack) -> Registry:
        """The registry with `pack`. `PluginError` says with what it collides, or what it lacks."""
        for offer in pack.offers:
            offer.check()
        claims = _claims(pack)
        for what in claims:
            if owner := self.owners.get(what):
                msg = f"the {what} already belongs to {owner}"
                raise PluginError(msg)
            if claims.count(what) > 1:
                msg = f"the {what} is declared twice"
                raise PluginError(msg)
        self._check_kinds(pack)
        for extension in pack.extensions:
            extension.check()
        for job in pack.jobs:
            job.check()
        for schedule in pack.schedules:
            schedule.check(pack.jobs)
        for published in pack.views:
            published.check()
            self._check_sources(pack, f"the view {published.view.name}", published.select)
        self._check_metrics(pack)
        self._check_grants(pack)
        return replace(self, packs={**self.packs, pack.name: pack})

    def without(self, name: str, reason: str) -> Registry:
        """The registry with `name` quarantined."""
        packs = {pack: value for pack, value in self.packs.items() if pack != name}
        return replace(self, packs=packs, quarantined={**self.quarantined, name: reason})

    def unknown_name(self, pack: Pack, remembered: Collection[str] = ()) -> str | None:
        """Why a pack names an event or a permission that there is not, or None. Asked once all packs are loaded.

        `remembered` are names that were known once: whoever declared them may come back.
        """
        events = {event.name for event in crm.EVENTS}
        events.update(event.name for other in self.packs.values() for event in other.events)
        for event, who in pack.awaited.items():
            if event not in events and event not in remembered:
                return f"{who} waits for {event!r}, an event that nobody publishes{nearest(event, events)}"
        for permission, who in pack.required.items():
            if permission not in self.permissions and permission not in remembered:
                close = nearest(permission, self.permissions)
                return f"{who} asks for the permission {permission!r}, which no pack declares{close}"
        return None

    def _check_kinds(self, pack: Pack) -> None:
        checked: tuple[Kind | Detail | Searchable, ...] = (*pack.kinds, *pack.details, *pack.searchables)
        for declared in checked:
            declared.check()
        resources = {permission.partition(":")[0] for item in pack.permissions for permission in item.names}
        for kind in pack.kinds:
            if kind.resource not in resources:
                msg = f"the kind {kind.name} is governed by {kind.resource!r}, for which it declares no permissions"
                raise PluginError(msg + nearest(kind.resource, resources))

    def _check_grants(self, pack: Pack) -> None:
        for item in pack.permissions:
            for role, grants in item.grants.items():
                if role not in ROLES:
                    msg = f"{item.resource} grants something to the role {role!r}{nearest(role, ROLES)}"
                    raise PluginError(msg)
                for text in grants:
                    try:
                        grant = Grant.parse(text)
                    except Invalid as error:
                        raise PluginError(str(error)) from error
                    if grant.resource != item.resource and pack.name != "core":
                        msg = f"{item.resource} grants {text!r}, which is not its own"
                        raise PluginError(msg)

    def _check_metrics(self, pack: Pack) -> None:
        for metric in pack.metrics:
            metric.check()
            if metric.name.startswith(OWN) and pack.name != "core":
                raise PluginError(f"the name of the metric {metric.name} begins like those of the core: {OWN}")
            if isinstance(metric, Gauge):
                self._check_sources(pack, f"the gauge {metric.name}", metric.select)

    def _check_sources(self, pack: Pack, what: str, select: Any) -> None:
        own = set(pack.tables.metadata.tables.values()) if pack.tables else set()
        for table in tables_in(select):
            if table not in own:
                raise PluginError(f"{what} reads {table.name}, a table that is not its pack's")

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """Which pack claims what: tools, tables, kinds, resources and views, by a describing name."""
        return {what: pack.name for pack in self.packs.values() for what in _claims(pack)}

    @cached_property
    def offers(self) -> Mapping[OfferKind, Mapping[str, Offer]]:
        """All that can be offered, by kind and name, in order: what lacks nothing."""
        offered: dict[OfferKind, dict[str, Offer]] = {"tool": {}, "resource": {}, "prompt": {}, "completion": {}}
        for pack in self.packs.values():
            for offer in pack.offers:
                if not self.lacks(offer):
                    offered[offer.kind][offer.name] = offer
        return {kind: MappingProxyType(dict(sorted(found.items()))) for kind, found in offered.items()}

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Every tool that can be offered, by name, in order."""
        return cast("Mapping[str, Tool]", self.offers["tool"])

    @property
    def resources(self) -> Mapping[str, Resource]:
        """Every resource and template that can be offered, by address, in order."""
        return cast("Mapping[str, Resource]", self.offers["resource"])

    @property
    def declared_tools(self) -> tuple[Tool, ...]:
        """Every tool, also those that cannot be offered."""
        return tuple(tool for pack in self.packs.values() for tool in pack.tools)

    def lacks(self, offer: Offer) -> tuple[str, ...]:
        """The views and the permission that an offer needs and nobody declares now."""
        missing = [view.name for view in offer.needs if view.name not in self.views]
        if offer.permission is not None and offer.permission not in self.permissions:
            missing.append(offer.permission)
        return tuple(missing)

    def resource_at(self, uri: str) -> tuple[Resource, Mapping[str, Any]] | None:
        """The resource at an address, and the arguments that lead there; None if nothing can be there."""
        if (plain := self.resources.get(uri)) is not None and not plain.is_template:
            return plain, {}
        found = self._matching(uri)
        return None if found is None else (found[0], dict(found[1]))

    @cached_property
    def _matching(self) -> Callable[[str], tuple[Resource, Mapping[str, Any]] | None]:
        """The template that fits an address. Remembered: those that somebody listens to are asked for at each look."""
        templates = [resource for resource in self.resources.values() if resource.is_template]

        @lru_cache(maxsize=4096)
        def matching(uri: str) -> tuple[Resource, Mapping[str, Any]] | None:
            for template in templates:
                if (arguments := template.match(uri)) is not None:
                    return template, arguments
            return None

        return matching

    @cached_property
    def pack_of(self) -> Mapping[Offer, Pack]:
        """The pack of each offer."""
        return {offer: pack for pack in self.packs.values() for offer in pack.offers}

    @property
    def core(self) -> Pack:
        """The pack of the core itself."""
        return self.packs["core"]

    @cached_property
    def pack_of_kind(self) -> Mapping[str, Pack]:
        """The pack of each kind."""
        return {kind.name: pack for pack in self.packs.values() for kind in pack.kinds}

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind of record, by name."""
        return {kind.name: kind for pack in self.packs.values() for kind in pack.kinds}

    @cached_property
    def kinds_by_table(self) -> Mapping[str, Kind]:
        """Every kind of record, by the name of its table."""
        return {kind.table.name: kind for kind in self.kinds.values()}

    @cached_property
    def details_by_table(self) -> Mapping[str, Detail]:
        """Every detail, by the name of its table."""
        return {detail.table.name: detail for pack in self.packs.values() for detail in pack.details}

    @cached_property
    def searchables(self) -> Mapping[str, Searchable]:
        """What is searched, by kind."""
        return {item.kind.name: item for pack in self.packs.values() for item in pack.searchables}

    @cached_property
    def views(self) -> Mapping[str, Published]:
        """Every published view, by name."""
        return {published.view.name: published for pack in self.packs.values() for published in pack.views}

    @cached_property
    def reactions(self) -> Mapping[str, tuple[tuple[Pack, Reaction], ...]]:
        """The reactions to each event, in the order in which the packs were loaded."""
        found: dict[str, tuple[tuple[Pack, Reaction], ...]] = {}
        for pack in self.packs.values():
            for reaction in pack.reactions:
                found[reaction.event] = (*found.get(reaction.event, ()), (pack, reaction))
        return found

    def reactions_to(self, event: str) -> tuple[tuple[Pack, Reaction], ...]:
        """The reactions to an event, and then those to every event."""
        return (*self.reactions.get(event, ()), *self.reactions.get(ANY, ()))

    @cached_property
    def jobs(self) -> Mapping[str, tuple[Pack, Job]]:
        """Every job and its pack, by its full name, `pack.job`."""
        return {f"{pack.name}.{job.name}": (pack, job) for pack in self.packs.values() for job in pack.jobs}

    @cached_property
    def job_names(self) -> Mapping[Job, str]:
        """The full name of each job."""
        return {job: name for name, (_, job) in self.jobs.items()}

    @cached_property
    def schedules(self) -> Mapping[str, Schedule]:
        """Every schedule, by its full name, `pack.schedule`."""
        return {f"{pack.name}.{item.name}": item for pack in self.packs.values() for item in pack.schedules}

    def extensions_at(self, point: Point[T]) -> tuple[Extended[T], ...]:
        """What packs add at `point`, in the order in which they were loaded."""
        return tuple(
            Extended(extension.value, pack.settings)
            for pack in self.packs.values()
            for extension in pack.extensions
            if extension.point is point
        )

    @cached_property
    def permissions(self) -> Mapping[str, str]:
        """Every permission, as `resource:action`, with its sentence."""
        return {
            f"{item.resource}:{action}": sentence
            for pack in self.packs.values()
            for item in pack.permissions
            for action, sentence in item.actions.items()
        }

    @cached_property
    def refusals(self) -> Mapping[str, str]:
        """What somebody is told who lacks the permission of a guarded field, by permission."""
        return {guard.permission: guard.message for kind in self.kinds.values() for guard in kind.guards.values()}

    @cached_property
    def role_grants(self) -> Mapping[Role, tuple[Grant, ...]]:
        """What each role may without further ado; each has what the roles before it have."""
        grants: tuple[Grant, ...] = ()
        result: dict[Role, tuple[Grant, ...]] = {}
        for role in ROLES:
            grants += tuple(
                Grant.parse(text)
                for pack in self.packs.values()
                for item in pack.permissions
                for text in item.grants.get(role, ())
            )
            result[role] = grants
        return result

    def visible(self, kind: OfferKind, principal: Principal) -> tuple[Offer, ...]:
        """What of one kind `principal` may call, by name."""
        return self._visible(kind, principal.grants)

    @cached_property
    def _visible(self) -> Callable[[OfferKind, tuple[Grant, ...]], tuple[Offer, ...]]:
        @lru_cache(REMEMBERED)
        def visible(kind: OfferKind, grants: tuple[Grant, ...]) -> tuple[Offer, ...]:
            offered = self.offers[kind].values()
            return tuple(it for it in offered if it.permission is None or scope_of(grants, it.permission))

        return visible

    @cached_property
    def observers(self) -> tuple[tuple[Pack, Callable[..., None]], ...]:
        """Whoever wants to be told of settled calls."""
        found = ((pack, getattr(pack.plugin, "sixty_observe", None)) for pack in self.packs.values())
        return tuple((pack, observer) for pack, observer in found if observer is not None)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric, in the order in which the packs were loaded."""
        return tuple(metric for pack in self.packs.values() for metric in pack.metrics)

    def metrics_of(self, event: str) -> tuple[Counter | Histogram, ...]:
        """The metrics that an event counts in."""
        return self._metrics_by_event.get(event, ())

    @cached_property
    def _metrics_by_event(self) -> Mapping[str, tuple[Counter | Histogram, ...]]:
        found: dict[str, tuple[Counter | Histogram, ...]] = {}
        for metric in filter(_counts, self.metrics):
            found[metric.event.name] = (*found.get(metric.event.name, ()), metric)
        return found

    @cached_property
    def scoper(self) -> Scoper:
        """Puts scope into the statements of handlers."""
        return Scoper(self)


def _counts(metric: Metric) -> TypeGuard[Counter | Histogram]:
    """Whether a metric is one of an event."""
    return isinstance(metric, Counter | Histogram)


def _claims(pack: Pack) -> list[str]:
    """What a pack says is its own, each as a describing name."""
    return [
        *(f"{offer.kind} {offer.name}" for offer in pack.offers),
        *(f"table {name}" for name in (pack.tables.metadata.tables if pack.tables else ())),
        *(f"kind {kind.name}" for kind in pack.kinds),
        *(f"resource {item.resource}" for item in pack.permissions),
        *(f"view {published.view.name}" for published in pack.views),
        *(f"event {event.name}" for event in pack.events),
        *(f"job {pack.name}.{job.name}" for job in pack.jobs),
        *(f"schedule {pack.name}.{schedule.name}" for schedule in pack.schedules),
        *(f"metric {name}" for metric in pack.metrics for name in metric.series),
    ]
