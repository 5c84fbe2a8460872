"""What a handler is given: who calls, what they may touch, and the one transaction around it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from sixty import claims
from sixty.conversation import Conversation
from sixty.errors import Conflict, NotFound
from sixty.events import LIMIT
from sixty.jobs.enqueuing import enqueued
from sixty.ledger import Ledger
from sixty.paging import told
from sixty.permissions import Scope, reaches
from sixty.records import Records
from sixty.scoping import ME, TEAM
from sixty.storage.database import IntegrityViolation, OutcomeUnknown, StaleWrite
from sixty.storage.statements import Write
from sixty.unit import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    import sqlalchemy as sa
    from pydantic import BaseModel

    from sixty.audit import Entry
    from sixty.directory import Directory, Principal
    from sixty.events import Event
    from sixty.extensions import Extended, Point
    from sixty.host import Host
    from sixty.jobs.job import Job, Payload
    from sixty.kinds import Kind
    from sixty.offers import Offer
    from sixty.paging import PageOf
    from sixty.registry import Pack, Registry
    from sixty.request import Request, Trace
    from sixty.storage.statements import Row, Statement
    from sixty.views import View

__all__ = ["Call"]

PATIENCE = 30.0
"""Seconds that a caller waits for a commit whose outcome is not known."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
T = TypeVar("T")


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
    told: frozenset[str] = frozenset()
    """The records that the event names to which a reaction answers: it may read them, and point at them."""
    audited: bool = False
    steps: dict[str, str] = field(default_factory=dict)
    """What the transactions of an `open_world` tool have written, as `touched`."""
    position: int = 0
    """How many changes they have made."""
    seen: dict[str, str] = field(default_factory=dict)
    """The kind of each record that the caller was shown, by id: what the audit trail keeps of a read."""
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

    @property
    def unit(self) -> UnitOfWork:
        """The transaction around this call."""
        if self._unit is None:
            msg = f"{self.tool.name} talks to the outside world: use `async with call.transaction()`"
            raise LookupError(msg)
        return self._unit

    @property
    def records(self) -> Records:
        """The records that the caller may read and write. Not kept: only the garbage collector would part the two."""
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
        return await self.scoped_rows(self.scoped(statement), values)

    async def scoped_rows(self, scoped: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """All rows of what `scoped` has made, or of several such statements that are put together."""
        me = {ME: self.principal.user_id, TEAM: self.principal.team_id}
        return await self.unit.rows(scoped, {**values, **me})

    def scoped(self, statement: Statement) -> Statement:
        """The statement, limited to what the caller may read."""
        scoped: Statement = self.registry.scoper.apply(statement, self.pack, self._read_scopes)
        return scoped

    def within(self, kind: Kind) -> Call:
        """The same call, reading as the pack that owns `kind`: for what the core does with every kind."""
        return replace(self, pack=self.registry.pack_of_kind[kind.name])

    async def claim(self, name: str, value: str) -> None:
        """Of two calls that claim the same value at the same time, the later one runs anew and sees what the first did.

        For what must be there once among all that the caller may see, where a constraint of the database would
        reveal what they may not. Claim before the reads that decide.
        """
        await claims.claim(self.unit, name, value)

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

    def sees(self, view: View, owner_id: str | None) -> bool:
        """Whether the caller may read the rows of a view that belong to `owner_id`, if there are any."""
        resources = self.registry.scoper.resources_of(view)
        return all(self.reaches(self._read_scopes(resource), owner_id) for resource in resources)

    def _read_scopes(self, resource: str) -> tuple[Scope, ...]:
        scopes = self.scopes(f"{resource}:read")
        if self.tool.aggregates and self.tool.permission is not None and self.cause is None:
            scopes += self.scopes(self.tool.permission)
        return scopes

    def may_call(self, tool: str) -> bool:
        """Whether a tool is offered now and the caller may call it: for what prompts propose."""
        offered = self.registry.tools.get(tool)
        return offered is not None and (offered.permission is None or self.principal.may(offered.permission))

    async def found(self, page: PageOf, kind: Kind, *, narrowed: bool) -> str:
        """What a list of `kind` says of a page. `narrowed` tells whether it was asked for only some of them."""
        self.seen.update(dict.fromkeys((row["id"] for row in page.rows if "id" in row), kind.name))
        return await told(self, page, kind, narrowed=narrowed)

    def user_of(self, text: str, field: str = "owner") -> str:
        """The id of whoever has this e-mail address or id. Raises `NotFound`."""
        user = self.directory.users_by_email.get(text.strip().lower()) or self.directory.users.get(text.strip().lower())
        if user is None:
            msg = f"{field}: there is nobody with the address or id {text[:80]!r}; crm://team shows who there is"
            raise NotFound(msg, field=field, given=text[:80])
        return user.id

    def check_user(self, user_id: str | None, field: str = "owner_id") -> None:
        """Raise `NotFound` for an id of nobody: a wrong one must not look like somebody who has nothing."""
        if user_id is not None and user_id not in self.directory.users:
            msg = f"{field}: there is no user {user_id}; records that you can see show the ids of their owners"
            raise NotFound(msg, field=field, id=user_id)

    def extensions(self, point: Point[T]) -> tuple[Extended[T], ...]:
        """What all packs add at `point`."""
        return self.registry.extensions_at(point)

    def publish(self, event: Event) -> None:
        """Tell other packs that something has happened; their reactions run before this call's commit."""
        self._events.append(event)

    def enqueue(
        self,
        job: Job,
        payload: Payload,
        *,
        at: datetime | None = None,
        queue: str | None = None,
        lane: str | None = None,
        key: str | None = None,
    ) -> str:
        """Leave a job to be done once this call is committed, or at a later time; its id.

        Jobs of one `queue`, by default those of one name, share their turns, so that a slow queue delays no other.
        Those of one `lane` are done one at a time, in order. A second one with the same `key` is not made.
        Raises `Invalid` for a payload that does not fit the job's model.
        """
        name = self.registry.job_names.get(job)
        if name is None:
            raise LookupError(f"no pack that serves declares the job {job.name}: return it from `sixty_jobs`")
        write = enqueued(
            name,
            job.parse(payload, {"now": self.now, "timezone": self.timezone}),
            now=self.now,
            due_at=at,
            queue=queue,
            lane=lane,
            key=key,
            user_id=self.principal.user_id,
            call_id=self.id,
            traceparent=self.host.tracing.traceparent() if self.host.tracing is not None else None,
        )
        self.unit.write(write)
        self.unit.afterwards(self.host.worker.wake)
        job_id: str = write.values["id"]
        return job_id

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Whatever the block writes, publishes and attaches stands or falls together, and the call with it or not.

        Reactions to what it published run at its end. What it raises passes on, and nothing of it remains.
        """
        ledger = self.records.ledger
        before, touched, blocks = ledger.position, dict(ledger.touched), len(self._blocks)
        waiting = tuple(self._events)
        self._events.clear()
        try:
            async with self.unit.savepoint():
                yield
                await self.react()
        except BaseException:
            ledger.position = before
            ledger.touched.clear()
            ledger.touched.update(touched)
            del self._blocks[blocks:]
            raise
        finally:
            self._events[:] = waiting

    async def react(self) -> None:
        """Every reaction to what was published has run, and every one to what those have published."""
        published = tuple(self._events)
        for event in published:
            self._events[:] = (event,)
            await self._follow()
        self._events.clear()

    async def _follow(self) -> None:
        """React to the event that is waiting, and to what it leads to."""
        done = 0
        while done < len(self._events):  # grows while reactions publish more
            if len(self._events) > LIMIT:
                msg = f"{self.tool.name} caused more than {LIMIT} events; reactions seem to cause one another"
                raise RuntimeError(msg)
            event = self._events[done]
            done += 1
            if self.host.event_observers:
                self.unit.afterwards(partial(self.host.committed, event))
            for pack, reaction in self.registry.reactions_to(event.name):
                reacting = replace(
                    self,
                    pack=pack,
                    cause=f"{pack.name}.{reaction.name}",
                    default_owner=event.owner_id,
                    automation=frozenset(reaction.may),
                    told=event.named,
                )
                await reaction.handler(event, reacting)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Call]:
        """A short transaction of a tool that talks to the outside world; committed at the end of the block.

        Raises `Conflict`, with nothing of it written, if somebody else wrote the same records meanwhile: begin again.
        """
        if not self.tool.open_world:
            msg = f"{self.tool.name} runs in a transaction already; only an open_world tool opens its own"
            raise LookupError(msg)
        try:
            async with UnitOfWork(self.host.database) as unit:
                step = replace(self)
                step.begin(unit)
                yield step
                await step.react()
                if unit.wrote:
                    unit.write(self.host.audit.write(step.line(f"a step of {self.tool.name}")))
                    await step.settle(unit)
                    self.steps.update(step.touched)
                    self.position = step.records.ledger.position
        except (StaleWrite, IntegrityViolation) as error:
            msg = "somebody else has written the same at this moment; read it again and try again"
            raise Conflict(msg) from error

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
            raise OutcomeUnknown
        commit.result()
        self.audited = True

    def line(self, message: str | None) -> Entry:
        """The line of this call in the audit trail, as a success."""
        return self.trace.line(self.principal, self.tool, "ok", message, self.touched, seen=self.seen)
