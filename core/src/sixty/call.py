"""One tool call, top to bottom. Every transport, the command line and the tests reach tools through `call_tool`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sixty.context import Call
from sixty.conversation import InputRequired, MissingCapability
from sixty.errors import Conflict, Forbidden, SixtyError, Unauthenticated, UnknownTool, nearest
from sixty.idempotency import keep, repeated
from sixty.ids import new_id
from sixty.outcome import Outcome
from sixty.request import Trace
from sixty.signals.within import WITHIN
from sixty.storage.database import IntegrityViolation, StaleWrite
from sixty.tombstones import removed
from sixty.unit import UnitOfWork
from sixty.values import Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sixty.directory import Principal
    from sixty.host import Host
    from sixty.offers import Offer
    from sixty.registry import Registry
    from sixty.request import Request

__all__ = ["call_tool"]

ATTEMPTS = 5
"""How often a call is run in all when somebody else writes the same records at the same time."""

REFUSALS = 2
"""How often the database may refuse what a call has written: the first time somebody else may just have written it."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_logger = logging.getLogger(__name__)


async def call_tool(host: Host, request: Request) -> Outcome:
    """Run one call. Whatever happens, it is audited and observed.

    Raises what is the protocol's to answer: `Unauthenticated`, `UnknownTool`, `InputRequired` and
    `MissingCapability`. Everything else is an outcome.
    """
    trace = Trace(new_id(), host.clock(), perf_counter(), request)
    about: dict[str, Any] = {**WITHIN.get(), "call": trace.call_id}
    before = WITHIN.set(about)
    try:
        if host.tracing is None:
            return await _call(host, trace, about)
        with host.tracing.call(host.registry, request, about):
            return await _call(host, trace, about)
    finally:
        WITHIN.reset(before)


async def _call(host: Host, trace: Trace, about: dict[str, Any]) -> Outcome:
    request, registry = trace.request, host.registry
    registry.in_flight.begin()
    principal, tool, call = request.principal, None, None
    code, message = "ok", None
    try:
        if principal is None:
            principal = await host.authenticator.authenticate(request.token)
        about["user"] = principal.user_id
        if request.offer is None and (
            request.tool not in registry.offers[request.kind] or not host.identity.is_current(principal)
        ):  # its pack may be coming, or have come just now
            principal = await host.current(principal)
            registry.in_flight.end()
            registry = host.registry
            registry.in_flight.begin()
        tool = request.offer or _find(host, registry, request, principal)
        about["tool"] = tool.name
        await host.limits.check(principal.user_id, tool.name, tool.rate)
        _authorize(tool, principal, registry)
        arguments = tool.parse(request.arguments, {"now": trace.at, "timezone": host.timezone})
        call = Call(
            id=trace.call_id,
            now=trace.at,
            tool=tool,
            principal=principal,
            directory=host.identity.latest,
            pack=registry.pack_of.get(tool) or registry.core,
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
    except InputRequired as error:
        code, message = "input_required", f"asks for {error}"
        raise
    except MissingCapability as error:
        code, message = "unavailable", str(error)
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
        registry.in_flight.end()
        done, seen = (call.touched, call.seen) if call is not None and code == "ok" else (_NOTHING, _NOTHING)
        entry = trace.line(principal, tool, code, message, done, seen=seen)
        if call is None or not call.audited:
            host.audit.later(entry)
        host.observe(entry)
    return outcome


def _find(host: Host, registry: Registry, request: Request, principal: Principal) -> Offer:
    name, offered = request.tool, registry.offers[request.kind]
    offer = offered.get(name)
    if offer is not None:
        return offer
    if request.kind == "tool" and (tombstone := host.tombstones.get(name)) is not None:
        raise removed(name, tombstone, registry, principal)
    msg = f"Unknown {request.kind}: {name[:64]}{nearest(name[:64], offered)}"
    raise UnknownTool(msg)


def _authorize(tool: Offer, principal: Principal, registry: Registry) -> None:
    if tool.permission is not None and not principal.may(tool.permission):
        if tool.kind != "tool":
            raise UnknownTool(f"Unknown {tool.kind}: {tool.name}")
        msg = registry.refusals.get(tool.permission) or (
            f"you may not call {tool.name}: it needs the permission {tool.permission}, "
            f"and the role {principal.role} does not have it; ask an admin"
        )
        raise Forbidden(msg, permission=tool.permission)


async def _run(call: Call, arguments: Any) -> tuple[Outcome, str]:
    """Run the handler in one transaction, again if somebody else was faster; the outcome and its code."""
    if call.tool.open_world:
        return await _run_outside(call, arguments)
    refused = 0
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(call, arguments, first=attempt == 1)
        except StaleWrite:
            if attempt == ATTEMPTS:
                msg = "somebody else is changing the same record at this moment; read it again and try again"
                raise Conflict(msg) from None
        except IntegrityViolation as error:
            refused += 1
            if refused == REFUSALS or attempt == ATTEMPTS:
                _logger.info("the database refused call %s: %s", call.id, error)
                msg = "the database refused this: a value that must be unique is taken, or a record it names has gone"
                raise Conflict(msg) from error
    raise AssertionError  # pragma: no cover - the loop returns or raises


async def _run_outside(call: Call, arguments: Any) -> tuple[Outcome, str]:
    """Run a handler that opens its own transactions. What it has done stays done, so it is not run again."""
    key = call.request.idempotency_key if call.tool.effect != "read" else None
    if key is not None:
        async with _step(call) as step:
            if (first_answer := await repeated(step, key)) is not None:
                return Outcome.of(first_answer), "repeated"
    outcome = _shaped(call, await _handled(call, arguments))
    if key is not None:
        with suppress(IntegrityViolation):  # the same call came twice at the same time, and the other was faster
            async with _step(call) as step:
                keep(step, key, outcome.structured)
    return outcome, "ok"


@asynccontextmanager
async def _step(call: Call) -> AsyncIterator[Call]:
    """A short transaction for what the kernel itself keeps of a call."""
    async with UnitOfWork(call.host.database) as unit:
        step = replace(call)
        step.begin(unit)
        yield step
        await unit.commit()


async def _attempt(call: Call, arguments: Any, *, first: bool) -> tuple[Outcome, str]:
    async with UnitOfWork(call.host.database, hope=call.tool.name if first else None) as unit:
        call.begin(unit)
        key = call.request.idempotency_key if call.tool.effect != "read" else None
        if key is not None and (first_answer := await repeated(call, key)) is not None:
            return Outcome.of(first_answer), "repeated"
        result = await _handled(call, arguments)
        await call.react()
        outcome = _shaped(call, result)
        if key is not None:
            keep(call, key, outcome.structured)
        if unit.wrote:
            if call.tool.effect == "read":
                msg = f"the tool {call.tool.name} says that it only reads, and it has written"
                raise RuntimeError(msg)
            unit.write(call.host.audit.write(call.line(outcome.message)))
            await call.settle(unit)
    return outcome, "ok"


async def _handled(call: Call, arguments: Any) -> Any:
    """What the handler returns."""
    if call.host.tracing is None:
        return await call.tool.handler(arguments, call)
    with call.host.tracing.handler(call.tool):
        return await call.tool.handler(arguments, call)


def _shaped(call: Call, result: Any) -> Outcome:
    """The handler's result, for a tool as JSON and with what the kernel adds."""
    if call.tool.kind != "tool":
        return Outcome(value=result)
    change_id = call.id if call.touched else None
    if result is None and call.blocks and change_id is None:
        return Outcome(blocks=call.blocks)
    if isinstance(result, Result):
        return Outcome.of_result(result, change_id, call.blocks)
    content = result.model_dump(mode="json", exclude_none=True) if isinstance(result, BaseModel) else result or {}
    change = {} if change_id is None else {"change_id": change_id}
    return Outcome.of({"success": True, "message": f"{call.tool.name} is done", **content, **change}, call.blocks)
