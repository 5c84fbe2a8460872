"""The lineup: which packs serve right now, and the one way in which that changes.

A refresh brings it to what the roster in the database says. The new registry is built beside the old one, its
newcomers are migrated and started, and it is swapped in whole. Calls in flight finish on the registry they started
with, and only then is a pack that has left told to stop.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sixty import lifecycle, roster
from sixty.candidates import Candidates
from sixty.errors import ConfigError, Conflict, Invalid, NotFound, PluginError, nearest
from sixty.leaving import Leaving
from sixty.lifecycle import CORE
from sixty.registry import Absent
from sixty.roster import load_roster
from sixty.signals.within import apart
from sixty.tombstones import tombstones_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sixty.candidates import Found
    from sixty.host import Host
    from sixty.registry import Pack, Registry
    from sixty.roster import Decision, Roster
    from sixty.terms import Terms

__all__ = ["Lineup", "more_than_accepted", "needed_by"]

_logger = logging.getLogger(__name__)


class Lineup:
    """The packs of one host."""

    def __init__(self, host: Host, environ: Mapping[str, str], plugins: Iterable[tuple[str, object]] | None) -> None:
        self.version = -1
        """The version of the roster that the registry was built from; -1 before the first time."""
        self._host = host
        self._core = host.registry
        self._candidates = Candidates(host.settings, environ, plugins)
        self._lock = asyncio.Lock()
        self._past: list[Registry] = []
        self._started: dict[str, Pack] = {}
        self._leaving: dict[str, Leaving] = {}
        self._following: asyncio.Task[None] | None = None
        self._failing = False

    async def refresh(self) -> None:
        """The registry is what the roster says now. Returns once it is swapped in.

        Raises `ConfigError` for a bad setting, but only the first time: later on it keeps one pack out.
        """
        async with self._lock:
            await self._refresh(await self._candidates.found())

    def follow(self) -> asyncio.Task[None]:
        """The refresh that runs already for somebody who saw that one is due, or a new one. It logs what goes wrong."""
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow(), context=apart())
        return self._following

    async def _follow(self) -> None:
        try:
            await self.refresh()
        except Exception:
            if not self._failing:  # it is tried again at once, and would say so each time
                _logger.exception("the packs cannot be brought up to date")
            self._failing = True
        else:
            self._failing = False

    async def enable(self, name: str, *, accept: bool = False) -> Terms | None:
        """The pack serves here and is wanted everywhere. What it asks for; None if that was so before.

        Raises `NotFound` if it is not installed, `Conflict` if it asks for more than was accepted, unless `accept`,
        and `PluginError` with the reason if it cannot serve. Nothing has changed then.
        """
        async with self._lock:
            decisions, found = await self._decisions(), await self._candidates.found()
            decision, serving = decisions.packs.get(name), self._host.registry.packs
            if name == CORE or (name in serving and (decision is None or decision.enabled)):
                return None
            if name in found.barred:
                raise PluginError(f"SIXTY_PLUGINS does not name {name}: add it there, and restart")
            if name not in found.allowed:
                raise NotFound(f"no pack {name!r} is installed{nearest(name, {*found.names, *serving})}")
            pack = await self._candidates.load(name, found.allowed[name])
            terms = pack.terms
            if not accept and (more := more_than_accepted(terms, decision)):
                raise Conflict(_waiting(name, more))
            await self._rehearse(pack, decisions)
            await roster.enable(self._host.database, name, terms, self._host.clock())
            await self._refresh(found)
        if (reason := self._host.registry.quarantined.get(name)) is not None:
            raise PluginError(f"{name} is enabled, and cannot serve here: {reason}")
        return terms

    async def disable(self, name: str, *, force: bool = False) -> bool:
        """The pack is wanted nowhere and does not serve here; False if that was so before.

        It has stopped as well, unless calls still use it. Raises `NotFound` if there is no such pack, `Invalid` for
        the core, and `Conflict` if others need it, unless `force`. Nothing has changed then.
        """
        if name == CORE:
            raise Invalid("core cannot be disabled: everything else stands on it", field="name", given=name)
        async with self._lock:
            decisions = await self._decisions()
            found = await self._candidates.found()
            known = {*decisions.packs, *found.names}
            if name not in known:
                raise NotFound(f"there is no pack {name!r}{nearest(name, {*known, CORE})}")
            if name in decisions.packs and not decisions.packs[name].enabled:
                return False
            if not force and (needed := needed_by(self._host.registry, name)):
                anyway = f"`sixty plugins disable {name} --force` does it all the same"
                raise Conflict(f"others need {name}: without it {', '.join(needed)}; {anyway}")
            await roster.disable(self._host.database, name, self._host.clock())
            await self._refresh(found)
        if (leaving := self._leaving.get(name)) is not None and leaving.idle:
            await leaving.ended()
        return True

    async def load(self, name: str) -> Pack:
        """The pack as it is installed, whether or not it serves.

        Raises `NotFound` if it is not installed, and `PluginError` if it cannot be loaded.
        """
        if (pack := self._host.registry.packs.get(name)) is not None:
            return pack
        found = await self._candidates.found()
        if name not in found.allowed:
            raise NotFound(f"no pack {name!r} is installed{nearest(name, found.names)}")
        return await self._candidates.load(name, found.allowed[name])

    async def settled(self) -> None:
        """Wait until every pack that has left has stopped."""
        for leaving in list(self._leaving.values()):
            await leaving.ended()

    async def close(self) -> None:
        """Every pack has released what it held, the last started first."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        await self.settled()
        while self._started:
            _, pack = self._started.popitem()
            await lifecycle.stop(self._host, pack)

    async def _decisions(self) -> Roster:
        async with self._host.database.snapshot() as reader:
            return await load_roster(reader)

    async def _refresh(self, found: Found) -> None:
        decisions = await self._decisions()
        opening = self.version < 0
        if opening:
            self._candidates.check(found)
        packs: list[Pack] = []
        failed: dict[str, str] = {}
        absent = _absent(decisions, found)
        for name in _wanted(decisions, found):
            decision = decisions.packs.get(name)
            try:
                pack = await self._pack(name, found, decision)
            except ConfigError as error:
                if opening:
                    raise
                failed[name] = str(error)
                continue
            except PluginError as error:
                _logger.warning("the plugin %s is quarantined: %s", name, error)
                failed[name] = str(error)
                continue
            more = more_than_accepted(pack.terms, decision)
            if more and name not in self._started:
                absent[name] = Absent("waiting", _waiting(name, more), pack.terms)
            else:
                packs.append(pack)
        fit = partial(lifecycle.assemble, self._core, packs, failed, _remembered(decisions))
        if opening:
            self._candidates.check_settings(fit(), found)
        registry, newcomers = await self._brought_up(fit, failed)
        self._swap(replace(registry, absent=absent), decisions)
        await self._remember([pack for pack in newcomers if pack.name in registry.packs], decisions)

    async def _pack(self, name: str, found: Found, decision: Decision | None) -> Pack:
        """The pack that serves already, or is on its way out, or else has to be loaded."""
        if (pack := self._started.get(name)) is not None:
            return pack
        leaving = self._leaving.pop(name, None)
        if leaving is not None and await leaving.called_back():
            self._started[name] = leaving.pack
            return leaving.pack
        return await self._candidates.pack(name, found.allowed[name], decision.at if decision is not None else None)

    async def _brought_up(self, fit: Callable[[], Registry], failed: dict[str, str]) -> tuple[Registry, Sequence[Pack]]:
        """The registry of the packs that fit, with those migrated and started that did not serve; and those."""
        registry = fit()
        newcomers = self._newcomers(registry)
        if problems := await lifecycle.migrate(self._host, newcomers):
            registry = self._without(problems, failed, fit)
        problems = {}
        for pack in self._newcomers(registry):
            try:
                await lifecycle.start(self._host, pack)
                self._started[pack.name] = pack
            except PluginError as error:
                problems[pack.name] = str(error)
        return (self._without(problems, failed, fit) if problems else registry), newcomers

    def _newcomers(self, registry: Registry) -> list[Pack]:
        others = (pack for pack in registry.packs.values() if pack.name != CORE)
        return [pack for pack in others if self._started.get(pack.name) is not pack]

    def _without(self, problems: Mapping[str, str], failed: dict[str, str], fit: Callable[[], Registry]) -> Registry:
        for name, reason in problems.items():
            _logger.warning("the plugin %s is quarantined: %s", name, reason)
            self._candidates.give_up(name, reason)
        failed.update(problems)
        return fit()

    async def _rehearse(self, pack: Pack, decisions: Roster) -> None:
        """Raise `PluginError` unless the pack fits beside those that serve, and its tables are as it declares them."""
        others = [other for other in self._host.registry.packs.values() if other.name not in (CORE, pack.name)]
        registry = lifecycle.assemble(self._core, [*others, pack], {}, _remembered(decisions))
        reason = registry.quarantined.get(pack.name) or (await lifecycle.migrate(self._host, [pack])).get(pack.name)
        if reason is not None:
            raise PluginError(f"{pack.name} cannot serve: {reason}")

    def _swap(self, registry: Registry, decisions: Roster) -> None:
        host, old = self._host, self._host.registry
        self.version = decisions.version
        self._leaving = {name: leaving for name, leaving in self._leaving.items() if not leaving.over}
        self._past = [past for past in self._past if past.in_flight.count]
        if (registry.packs, registry.quarantined, registry.absent) != (old.packs, old.quarantined, old.absent):
            self._past.append(old)
            host.tombstones = tombstones_of(registry, old, host.tombstones, decisions)
            host.registry = registry
            host.watch.lists_changed()
        for name, pack in list(self._started.items()):
            if registry.packs.get(name) is not pack:
                del self._started[name]
                holders = [past for past in self._past if past.packs.get(name) is pack]
                self._leaving[name] = Leaving(host, pack, holders)

    async def _remember(self, newcomers: Iterable[Pack], decisions: Roster) -> None:
        seen = {pack.name: pack.terms for pack in newcomers}
        known = {name: decision.accepted for name, decision in decisions.packs.items()}
        if news := {name: terms for name, terms in seen.items() if known.get(name) != terms}:
            after = await roster.remember(self._host.database, news, self._host.clock())
            if after == decisions.version + 1:  # nothing else has changed, and this is known here
                self.version = after


def more_than_accepted(terms: Terms, decision: Decision | None) -> tuple[str, ...]:
    """What a pack asks for and nobody has accepted; nothing for one that is seen for the first time."""
    return () if decision is None or decision.accepted is None else terms.beyond(decision.accepted).asks


def _waiting(name: str, more: Sequence[str]) -> str:
    accept = f"`sixty plugins enable {name} --accept` accepts it"
    return f"{name} asks for more than was accepted: {', '.join(more)}; {accept}"


def needed_by(registry: Registry, name: str) -> tuple[str, ...]:
    """What would be missing in other packs without this one, each as a phrase."""
    others = {other: pack for other, pack in registry.packs.items() if other != name}
    rest = replace(registry, packs=others)
    events = {event.name for event in registry.packs[name].events} if name in registry.packs else ()
    return (
        *(
            f"{registry.pack_of[offer].name} has no {offer.kind} {offer.name}"
            for kind, offered in registry.offers.items()
            for offer in offered.values()
            if registry.pack_of[offer].name != name and offer.name not in rest.offers[kind]
        ),
        *(
            f"{pack.name} has nothing to react to with {reaction.name}"
            for pack in others.values()
            for reaction in pack.reactions
            if reaction.event in events
        ),
    )


def _wanted(decisions: Roster, found: Found) -> list[str]:
    """The plugins to load: those that were decided on first come first, and keep what they claim."""
    known = [name for name, decision in decisions.packs.items() if decision.enabled and name in found.allowed]
    return known + [name for name in found.allowed if name not in decisions.packs]


def _absent(decisions: Roster, found: Found) -> dict[str, Absent]:
    """The packs that are not even to be loaded."""
    absent = {}
    for name, decision in decisions.packs.items():
        if not decision.enabled:
            why = "an operator has disabled it" if name in found.names else "it is not installed; its data is kept"
            absent[name] = Absent("disabled", why, decision.accepted)
    barred = {name: Absent("not allowed", "SIXTY_PLUGINS does not name it") for name in sorted(found.barred)}
    return {**barred, **absent}


def _remembered(decisions: Roster) -> Callable[[Pack], Collection[str]]:
    """What a pack may rely on although nobody declares it now: it was known, and may be again."""
    accepted = {name: decision.accepted for name, decision in decisions.packs.items() if decision.accepted is not None}
    declared = frozenset[str]().union(*(terms.declared for terms in accepted.values()))
    return lambda pack: declared.union(accepted[pack.name].relies_on) if pack.name in accepted else declared
