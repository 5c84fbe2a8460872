"""One tool call, top to bottom. Every transport, the command line and the tests reach tools through `call_tool`."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import BaseModel

from sixty.audit import Entry
from sixty.errors import (
    Conflict,
    Forbidden,
    Invalid,
    SixtyError,
    ToolRemoved,
    Unauthenticated,
    Unavailable,
    UnknownTool,
    nearest,
)
from sixty.events import LIMIT
from sixty.ids import new_id
from sixty.ledger import Ledger
from sixty.outcome import Outcome
from sixty.permissions import Scope, reaches
from sixty.records import Records
from sixty.scoping import ME, TEAM
from sixty.storage.columns import Id
from sixty.storage.database import IntegrityViolation, StaleWrite
from sixty.storage.statements import NEW, Write
from sixty.tables import idempotency
from sixty.unit import UnitOfWork
from sixty.values import Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from sixty.directory import Directory, Principal
    from sixty.events import Event
    from sixty.host import Host
    from sixty.kinds import Kind
    from sixty.registry import Pack, Registry
    from sixty.storage.statements import Row, Statement
    from sixty.tools import Tool
    from sixty.views import View

__all__ = ["Call", "Request", "call_tool"]

ATTEMPTS = 5
"""How often a call is run in all when somebody else writes the same records at the same time."""
KEY_LENGTH = 255
"""Characters of an idempotency key at the most."""
MEMORY = timedelta(hours=24)
"""How long an idempotency key is remembered."""
PATIENCE = 30.0
"""Seconds that a caller waits for a commit whose outcome is not known."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_logger = logging.getLogger(__name__)

_remembered = sa.select(idempotency).where(
    idempotency.c.user_id == sa.bindparam("user", type_=Id), idempotency.c.key == sa.bindparam("key")
)
_remember = sa.insert(idempotency)
_forget = sa.delete(idempotency).where(
    idempotency.c.user_id == sa.bindparam("user", type_=Id), idempotency.c.key == sa.bindparam("key")
)


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


async def call_tool(host: Host, request: Request) -> Outcome:
    """Run one call. Whatever happens, it is audited and observed.

    Raises `Unauthenticated` and `UnknownTool`, which are the protocol's to answer; everything else is an outcome.
    """
    trace = _Trace(new_id(), host.clock(), perf_counter(), request)
    registry = host.registry
    principal, tool, call = request.principal, None, None
    code, message = "ok", None
    try:
        if principal is None:
            principal = await host.authenticator.authenticate(request.token)
        tool = _find(host, registry, request.tool)
        host.limits.check(principal.user_id, tool.name, tool.rate)
        _authorize(tool, principal, registry)
        arguments = tool.parse(request.arguments, {"now": trace.at, "timezone": host.timezone})
        call = Call(
            id=trace.call_id,
            now=trace.at,
            tool=tool,
            principal=principal,
            directory=host.identity.latest,
            pack=registry.pack_of[tool.name],
            registry=registry,
            host=host,
            request=request,
            trace=trace,
        )
        outcome, code = await _run(call, arguments)
        message = outcome.message
    except (Unauthenticated, UnknownTool) as error:
        code, message = error.code, error.message
        raise
    except SixtyError as error:
        code, message = error.code, error.message
        outcome = Outcome.of({"success": False, "error": error.to_json()}, is_error=True)
    except asyncio.CancelledError:
        code, message = "cancelled", "the client went away"
        raise
    except Exception:
        _logger.exception("call %s of %s failed", trace.call_id, request.tool)
        code, message = "internal", f"something went wrong on our side; quote {trace.call_id} when you report it"
        shown = {"code": code, "message": message, "error_id": trace.call_id}
        outcome = Outcome.of({"success": False, "error": shown}, is_error=True)
    finally:
        done = call.touched if call is not None and code == "ok" else _NOTHING
        entry = trace.line(principal, tool, code, message, done)
        if call is None or not call.audited:
            host.audit.later(entry)
        host.observe(entry)
    return outcome


@dataclass(frozen=True, slots=True)
class _Trace:
    """What is known of a call from its beginning, for its line in the audit trail."""

    call_id: str
    at: datetime
    started: float
    request: Request

    def line(
        self,
        principal: Principal | None,
        tool: Tool | None,
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


def _find(host: Host, registry: Registry, name: str) -> Tool:
    tool = registry.tools.get(name)
    if tool is not None:
        return tool
    if (tombstone := host.tombstones.get(name)) is not None:
        msg = f"the tool {name} went away with the pack {tombstone}; ask for the list of tools again"
        raise ToolRemoved(msg, plugin=tombstone)
    msg = f"Unknown tool: {name[:64]}{nearest(name[:64], registry.tools)}"
    raise UnknownTool(msg)


def _authorize(tool: Tool, principal: Principal, registry: Registry) -> None:
    if tool.permission is not None and not principal.may(tool.permission):
        msg = registry.refusals.get(tool.permission) or (
            f"you may not call {tool.name}: it needs the permission {tool.permission}, "
            f"and the role {principal.role} does not have it; ask an admin"
        )
        raise Forbidden(msg, permission=tool.permission)


async def _run(call: Call, arguments: Any) -> tuple[Outcome, str]:
    """Run the handler in one transaction, again if somebody else was faster; the outcome and its code."""
    if call.tool.open_world:
        return _shaped(call, await call.tool.handler(arguments, call)), "ok"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(call, arguments, first=attempt == 1)
        except StaleWrite:
            if attempt == ATTEMPTS:
                msg = "somebody else is changing the same record at this moment; read it again and try again"
                raise Conflict(msg) from None
        except IntegrityViolation as error:
            if attempt > 1:
                _logger.info("the database refused call %s: %s", call.id, error)
                msg = "the database refused this: a value that must be unique is taken, or a record it names has gone"
                raise Conflict(msg) from error
    raise AssertionError  # pragma: no cover - the loop returns or raises


async def _attempt(call: Call, arguments: Any, *, first: bool) -> tuple[Outcome, str]:
    async with UnitOfWork(call.host.database, hopeful=first) as unit:
        call.begin(unit)
        key = call.request.idempotency_key if call.tool.effect != "read" else None
        if key is not None and (repeated := await _repeated(call, key)) is not None:
            return Outcome.of(repeated), "repeated"
        outcome = _shaped(call, await call.finish(await call.tool.handler(arguments, call)))
        if key is not None:
            _keep(call, key, outcome.structured)
        if unit.wrote:
            if call.tool.effect == "read":
                msg = f"the tool {call.tool.name} says that it only reads, and it has written"
                raise RuntimeError(msg)
            unit.write(call.line(outcome.message).write())
            await _settled(call, unit)
    return outcome, "ok"


async def _settled(call: Call, unit: UnitOfWork) -> None:
    """Commit, whether or not the caller is still there: what is being written cannot be called back."""
    commit = asyncio.ensure_future(unit.commit())
    try:
        await asyncio.wait((commit,), timeout=PATIENCE)
    except asyncio.CancelledError:
        await asyncio.wait((commit,), timeout=PATIENCE)
        call.audited = commit.done() and commit.exception() is None
        raise
    if not commit.done():
        msg = "the database does not answer, and whether this was written is not known; look before you try again"
        raise Unavailable(msg)
    commit.result()
    call.audited = True


def _shaped(call: Call, result: Any) -> Outcome:
    """The handler's result as JSON, with what the kernel adds."""
    change_id = call.id if call.touched else None
    if isinstance(result, Result):
        return Outcome.of_result(result, change_id)
    content = result.model_dump(mode="json", exclude_none=True) if isinstance(result, BaseModel) else result or {}
    change = {} if change_id is None else {"change_id": change_id}
    return Outcome.of({"success": True, "message": f"{call.tool.name} is done", **content, **change})


def _fingerprint(arguments: Mapping[str, Any]) -> str:
    # not orjson, which refuses large numbers and half characters
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()


async def _repeated(call: Call, key: str) -> dict[str, Any] | None:
    """The first answer to a call with this key, or None if this is the first."""
    if not 0 < len(key) <= KEY_LENGTH or not key.isprintable():
        msg = f"an idempotency key has 1 to {KEY_LENGTH} printable characters"
        raise Invalid(msg, field="idempotency_key", given=key[:80])
    found = await call.unit.rows(_remembered, {"user": call.principal.user_id, "key": key})
    if not found:
        return None
    first = found[0]
    if first["at"] <= call.now - MEMORY:
        call.unit.write(Write(_forget, {"user": call.principal.user_id, "key": key}, expect=1))
        return None
    if (first["tool"], first["arguments"]) != (call.tool.name, _fingerprint(call.request.arguments)):
        msg = f"the idempotency key {key!r} was used for another call ({first['tool']}); use a new key for a new call"
        raise Conflict(msg, key=key, tool=first["tool"])
    result: dict[str, Any] = first["result"]
    return result


def _keep(call: Call, key: str, structured: dict[str, Any]) -> None:
    row = {
        "user_id": call.principal.user_id,
        "key": key,
        "tool": call.tool.name,
        "arguments": _fingerprint(call.request.arguments),
        "result": structured,
        "at": call.now,
    }
    call.unit.write(Write(_remember, row, row=NEW))


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
    tool: Tool
    principal: Principal
    directory: Directory
    pack: Pack
    registry: Registry
    host: Host
    request: Request
    trace: _Trace
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

    def begin(self, unit: UnitOfWork) -> None:
        """Start on a fresh unit of work."""
        self._unit, self._ledger = unit, Ledger(unit, self.registry, self.position)
        self._events = []
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
                await _settled(step, unit)
                self.steps.update(step.touched)
                self.position = step.records.ledger.position

    def line(self, message: str | None) -> Entry:
        """The line of this call in the audit trail, as a success."""
        return self.trace.line(self.principal, self.tool, "ok", message, self.touched)
