"""What a handler is given: who calls, what they may touch, and the one transaction around it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sixty.audit import Entry
from sixty.conversation import NO_REPLIES, Conversation
from sixty.errors import Unavailable
from sixty.events import LIMIT
from sixty.ledger import Ledger
from sixty.permissions import Scope, reaches
from sixty.records import Records
from sixty.scoping import ME, TEAM
from sixty.storage.statements import Write
from sixty.unit import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    import sqlalchemy as sa
    from pydantic import BaseModel

    from sixty.conversation import Channel, Replies
    from sixty.directory import Directory, Principal
    from sixty.events import Event
    from sixty.host import Host
    from sixty.kinds import Kind
    from sixty.offers import Offer, OfferKind
    from sixty.registry import Pack, Registry
    from sixty.storage.statements import Row, Statement
    from sixty.views import View

__all__ = ["Call", "Request", "Trace"]

PATIENCE = 30.0
"""Seconds that a caller waits for a commit whose outcome is not known."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """What a transport has decoded. Either `principal` is known already, or `token` is still to be authenticated."""

    tool: str
    arguments: Mapping[str, Any]
    principal: Principal | None = None
    token: str | None = None
    transport: str = "memory"
    client: str | None = None
    address: str | None = None
    idempotency_key: str | None = None
    kind: OfferKind = "tool"
    """What `tool` names: the name of a tool or prompt, or the address of a resource as it was declared."""
    channel: Channel | None = None
    """The client, where the transport can reach it while the call runs."""
    replies: Replies = NO_REPLIES
    """What the client has answered to the questions of earlier rounds."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a call from its beginning, for its line in the audit trail."""

    call_id: str
    at: datetime
    started: float
    request: Request

    def line(
        self,
        principal: Principal | None,
        tool: Offer | None,
        outcome: str,
        message: str | None,
        records: Mapping[str, str],
    ) -> Entry:
        """The line for a call that ends now."""
        request = self.request
        return Entry(
            call_id=self.call_id,
            at=self.at,
            user_id=principal.user_id if principal is not None else None,
            tool=request.tool,
            effect=tool.effect if tool is not None else None,
            outcome=outcome,
            message=message,
            arguments=request.arguments,
            records=records,
            transport=request.transport,
            client=request.client,
            address=request.address,
            microseconds=round((perf_counter() - self.started) * 1e6),
        )


class Views:
    """The views that somebody publishes, for use in statements."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __contains__(self, view: View) -> bool:
        return view.name in self._registry.views

    def __getitem__(self, view: View) -> sa.TableClause:
        if view not in self:
            msg = f"nobody publishes the view {view.name}: the tool must name it in `needs`"
            raise LookupError(msg)
        return view.table


@dataclass
class Call:
    """What a handler is given: who calls, what they may touch, and the one transaction around it."""

    id: str
    now: datetime
    tool: Offer
    principal: Principal
    directory: Directory
    pack: Pack
    registry: Registry
    host: Host
    request: Request
    trace: Trace
    cause: str | None = None
    """The reaction that runs now; None in a tool's own handler."""
    default_owner: str | None = None
    """Who owns what is made, unless the handler says otherwise."""
    automation: frozenset[str] = frozenset()
    """The permissions that a reaction acts under, whoever the caller is."""
    audited: bool = False
    steps: dict[str, str] = field(default_factory=dict)
    """What the transactions of an `open_world` tool have written, as `touched`."""
    position: int = 0
    """How many changes they have made."""
    _unit: UnitOfWork | None = None
    _ledger: Ledger | None = None
    _events: list[Event] = field(default_factory=list)
    _blocks: list[Mapping[str, Any]] = field(default_factory=list)

    def begin(self, unit: UnitOfWork) -> None:
        """Start on a fresh unit of work."""
        self._unit, self._ledger = unit, Ledger(unit, self.registry, self.position)
        self._events = []
        if not self.tool.open_world:  # whose transactions are steps of one run
            self._blocks.clear()
        self.default_owner = self.principal.user_id
        self.__dict__.pop("records", None)

    @property
    def unit(self) -> UnitOfWork:
        """The transaction around this call."""
        if self._unit is None:
            msg = f"{self.tool.name} talks to the outside world: use `async with call.transaction()`"
            raise LookupError(msg)
        return self._unit

    @cached_property
    def records(self) -> Records:
        """The records that the caller may read and write."""
        if self._ledger is None:
            msg = f"{self.tool.name} talks to the outside world: use `async with call.transaction()`"
            raise LookupError(msg)
        return Records(self, self._ledger)

    @property
    def touched(self) -> Mapping[str, str]:
        """The kind of each record written so far, by id."""
        return self._ledger.touched if self._ledger is not None else self.steps

    @cached_property
    def client(self) -> Conversation:
        """Whoever is at the other end: told of progress, and asked."""
        return Conversation(self.tool, self.request.channel, self.request.replies)

    def attach(self, block: BaseModel | str) -> None:
        """Put a text, or one of MCP's content blocks, behind the result; without a result, in its place."""
        if isinstance(block, str):
            self._blocks.append({"type": "text", "text": block})
        else:
            self._blocks.append(block.model_dump(mode="json", by_alias=True, exclude_none=True))

    @property
    def blocks(self) -> tuple[Mapping[str, Any], ...]:
        """What has been attached."""
        return tuple(self._blocks)

    @property
    def settings(self) -> Any:
        """The settings of the pack that owns the handler."""
        return self.pack.settings

    @property
    def timezone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return self.host.timezone

    @property
    def today(self) -> date:
        """The day that it is in the organisation's time zone."""
        return self.now.astimezone(self.timezone).date()

    @property
    def views(self) -> Views:
        """The views that somebody publishes."""
        return Views(self.registry)

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """All rows of a select over the pack's own tables and over views, limited to what the caller may read.

        Build the statement once and pass values by `bindparam`: statements are compiled once per object.
        """
        me = {ME: self.principal.user_id, TEAM: self.principal.team_id}
        return await self.unit.rows(self.scoped(statement), {**values, **me})

    def scoped(self, statement: Statement) -> Statement:
        """The statement, limited to what the caller may read."""
        scoped: Statement = self.registry.scoper.apply(statement, self.pack, self._read_scopes)
        return scoped

    def within(self, kind: Kind) -> Call:
        """The same call, reading as the pack that owns `kind`: for what the core does with every kind."""
        return replace(self, pack=self.registry.pack_of_kind[kind.name])

    def write(self, statement: Statement, values: Mapping[str, Any] = _NOTHING, *, expect: int | None = None) -> None:
        """Collect a write to a table of the pack's own that holds no records."""
        self.unit.write(Write(statement, values, expect))

    def scopes(self, permission: str) -> tuple[Scope, ...]:
        """The scopes that must all reach a record for `permission` to hold there."""
        if permission in self.automation:
            return (Scope.ALL,)
        return (self.principal.scope(permission),)

    def reaches(self, scopes: tuple[Scope, ...], owner_id: str | None) -> bool:
        """Whether all of `scopes` reach a record of `owner_id`."""
        me, team = self.principal.user_id, self.directory.team_of(owner_id) if owner_id else None
        return all(reaches(scope, me, self.principal.team_id, owner_id, team) for scope in scopes)

    def _read_scopes(self, resource: str) -> tuple[Scope, ...]:
        scopes = self.scopes(f"{resource}:read")
        if self.tool.aggregates and self.tool.permission is not None and self.cause is None:
            scopes += self.scopes(self.tool.permission)
        return scopes

    def publish(self, event: Event) -> None:
        """Tell other packs that something has happened; their reactions run before this call's commit."""
        self._events.append(event)

    async def finish(self, result: Any) -> Any:
        """Run every reaction to what was published, and to what those publish; the handler's result."""
        done = 0
        while done < len(self._events):  # grows while reactions publish more
            if len(self._events) > LIMIT:
                msg = f"{self.tool.name} caused more than {LIMIT} events; reactions seem to cause one another"
                raise RuntimeError(msg)
            event = self._events[done]
            done += 1
            for pack, reaction in self.registry.reactions.get(event.name, ()):
                reacting = replace(
                    self,
                    pack=pack,
                    cause=f"{pack.name}.{reaction.name}",
                    default_owner=event.owner_id,
                    automation=frozenset(reaction.may),
                )
                await reaction.handler(event, reacting)
        return result

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Call]:
        """A short transaction of a tool that talks to the outside world; committed at the end of the block."""
        if not self.tool.open_world:
            msg = f"{self.tool.name} runs in a transaction already; only an open_world tool opens its own"
            raise LookupError(msg)
        async with UnitOfWork(self.host.database) as unit:
            step = replace(self)
            step.begin(unit)
            yield step
            await step.finish(None)
            if unit.wrote:
                unit.write(step.line(f"a step of {self.tool.name}").write())
                await step.settle(unit)
                self.steps.update(step.touched)
                self.position = step.records.ledger.position

    async def settle(self, unit: UnitOfWork) -> None:
        """Commit, whether or not the caller is still there: what is being written cannot be called back."""
        commit = asyncio.ensure_future(unit.commit())
        try:
            await asyncio.wait((commit,), timeout=PATIENCE)
        except asyncio.CancelledError:
            await asyncio.wait((commit,), timeout=PATIENCE)
            self.audited = commit.done() and commit.exception() is None
            raise
        if not commit.done():
            msg = "the database does not answer, and whether this was written is not known; look before you try again"
            raise Unavailable(msg)
        commit.result()
        self.audited = True

    def line(self, message: str | None) -> Entry:
        """The line of this call in the audit trail, as a success."""
        return self.trace.line(self.principal, self.tool, "ok", message, self.touched)
