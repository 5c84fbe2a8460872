"""Who is told what: each listener remembers how it last saw what it listens to, and is told of what looks different.

So a swap of the registry is one message to whoever sees another list, and none to anybody else. What happens while
somebody cannot be told is not kept: it is seen when they can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from sixty.directory import Principal
from sixty.errors import Unauthenticated, Unavailable
from sixty.server.caller import principal_now
from sixty.server.looks import Sight

if TYPE_CHECKING:
    from collections.abc import Collection

    from sixty.host import Host
    from sixty.permissions import Grant
    from sixty.registry import Registry
    from sixty.server.caller import Caller
    from sixty.server.leases import Lease, Leases
    from sixty.server.looks import Looks

__all__ = ["Listener", "Listeners"]

Tell = Callable[[ServerEvent], Awaitable[None]]


def seen(registry: Registry, principal: Principal) -> Looks:
    """The lists that `principal` sees. A declared object is equal to itself only: one that was reloaded is another."""
    return {
        ToolsListChanged(): registry.visible("tool", principal),
        PromptsListChanged(): registry.visible("prompt", principal),
        ResourcesListChanged(): registry.visible("resource", principal),
    }


class Listener:
    """Somebody who is told."""

    def __init__(self, caller: Caller, principal: Principal) -> None:
        self.caller = caller
        self.principal = principal
        """The caller, as of when it was last looked."""
        self.is_behind = False
        """Whether something may have changed while its credential was not accepted."""
        self._told: dict[ServerEvent, Hashable] = {}
        self._now: dict[ServerEvent, Hashable] = {}
        self._tell: Tell | None = None
        self._telling: asyncio.Task[None] | None = None

    @property
    def uris(self) -> tuple[str, ...]:
        """The resources to which it listens."""
        return tuple(event.uri for event in self._told if isinstance(event, ResourceUpdated))

    def listen(self, looks: Looks) -> None:
        """It listens to these too, and knows how they look now."""
        self._told.update(looks)
        self._now.update(looks)

    def ignore(self, event: ServerEvent) -> None:
        """It listens to this no more."""
        self._told.pop(event, None)
        self._now.pop(event, None)

    def see(self, looks: Looks) -> None:
        """It is told, once it can be, of what it listens to among these and what looks different."""
        self._now.update((event, looks[event]) for event in self._told.keys() & looks.keys())
        self._wake()

    def open(self, tell: Tell) -> None:
        """It can be told from now on."""
        self._tell = tell
        self._wake()

    def close(self) -> None:
        """It cannot be told any more, until it is opened again. What was being told counts as not told."""
        self._tell = None
        if self._telling is not None:
            self._telling.cancel()

    def _wake(self) -> None:
        # a task only while there is something to tell; who does not read makes nobody else wait
        if self._telling is None and self._tell is not None and self._due is not None:
            self._telling = asyncio.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        try:
            while (tell := self._tell) is not None and (event := self._due) is not None:
                before, self._told[event] = self._told[event], self._now[event]
                try:
                    await tell(event)
                except asyncio.CancelledError:
                    if event in self._told:
                        self._told[event] = before
                    raise
        finally:
            self._telling = None
            self._wake()

    @property
    def _due(self) -> ServerEvent | None:
        return next((event for event, told in self._told.items() if self._now[event] != told), None)


class Listeners:
    """Everybody who listens. Told by the host that something may have changed, it finds out for whom it has."""

    def __init__(self, host: Host, *leases: Leases) -> None:
        """`leases` end with their credentials, which is noticed on the same occasions."""
        self._host = host
        self._leases = leases
        self._listeners: set[Listener] = set()
        self._one_by_one = asyncio.Lock()  # so that no older look follows a newer one
        self._registry: Registry | None = None
        self._seen: dict[tuple[Grant, ...], Looks] = {}

    def add(self, listener: Listener, kinds: Iterable[ServerEvent]) -> None:
        """It listens to these lists, until it is removed."""
        looks = self._lists(listener.principal)
        listener.listen({kind: looks[kind] for kind in kinds})
        self._listeners.add(listener)

    def remove(self, listener: Listener) -> None:
        """It is told nothing any more."""
        self._listeners.discard(listener)
        listener.close()

    async def watch(self, listener: Listener, uris: Collection[str]) -> None:
        """It listens to these resources, too. One that declares nothing to watch never changes."""
        async with self._one_by_one:
            sight = await Sight.of(self._host, uris)
            listener.listen(sight.looks(listener.principal, uris))

    async def catch_up(self, listener: Listener) -> None:
        """A listener whose credential is accepted again sees what it has missed."""
        async with self._one_by_one:
            await self._look((listener,))

    async def lists_may_have_changed(self) -> None:
        """Whoever sees something else than before is told, and the leases of who is not accepted any more end."""
        async with self._one_by_one:
            await self._look(tuple(self._listeners), tuple(lease for leases in self._leases for lease in leases))

    async def records_may_have_changed(self) -> None:
        """Whoever listens to a record that has changed is told."""
        async with self._one_by_one:
            await self._look_at_resources(tuple(self._listeners))

    async def _look(self, listeners: Iterable[Listener], leases: Iterable[Lease] = ()) -> None:
        callers = {listener.caller.credential: listener.caller for listener in listeners}
        callers.update((lease.caller.credential, lease.caller) for lease in leases)
        verdicts = dict(zip(callers, await asyncio.gather(*map(self._judged, callers.values())), strict=True))
        for lease in leases:
            if isinstance(verdicts.get(lease.caller.credential), Unauthenticated):
                lease.end()
        for listener in listeners:
            verdict = verdicts.get(listener.caller.credential)
            listener.is_behind = not isinstance(verdict, Principal)
            if isinstance(verdict, Principal):
                listener.principal = verdict
                listener.see(self._lists(verdict))
        await self._look_at_resources(listeners)

    async def _look_at_resources(self, listeners: Iterable[Listener]) -> None:
        wanted = {listener: uris for listener in listeners if not listener.is_behind and (uris := listener.uris)}
        if wanted:
            sight = await Sight.of(self._host, {uri for uris in wanted.values() for uri in uris})
            for listener, uris in wanted.items():
                listener.see(sight.looks(listener.principal, uris))

    async def _judged(self, caller: Caller) -> Principal | Unauthenticated | Unavailable:
        try:
            return await principal_now(self._host, caller)
        except (Unauthenticated, Unavailable) as error:
            return error

    def _lists(self, principal: Principal) -> Looks:
        registry = self._host.registry
        if registry is not self._registry:
            self._registry = registry
            self._seen.clear()
        looks = self._seen.get(principal.grants)
        if looks is None:
            looks = self._seen[principal.grants] = seen(registry, principal)
        return looks
