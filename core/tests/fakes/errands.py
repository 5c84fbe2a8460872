"""Errands that are left to be done later: what each of them does, a test says by its label."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sixty import (
    Arguments,
    Call,
    Conflict,
    Event,
    Job,
    Reaction,
    Result,
    Schedule,
    Text,
    Tool,
    Work,
    hookimpl,
    job,
    on,
    tool,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass
class State:
    """What was done, and what the errands of a label do. It belongs to one test."""

    done: list[str] = field(default_factory=list)
    tries: list[Work] = field(default_factory=list)
    failed: list[Work] = field(default_factory=list)
    does: dict[str, Callable[[Work], Awaitable[None]]] = field(default_factory=dict)

    @property
    def attempts(self) -> list[int]:
        return [work.attempt for work in self.tries]


STATE = State()


class Errand(Arguments):
    label: Text


class Left(Result):
    job_id: str


class Leave(Arguments):
    label: Text
    lane: str | None = None
    queue: str | None = None
    key: str | None = None
    after: int = 0
    then: str = ""


async def despair(args: Errand, work: Work) -> None:
    STATE.failed.append(work)
    await STATE.does.get(f"failed {args.label}", nothing)(work)


async def nothing(work: Work) -> None:
    pass


@job("errand", retry=(5, 60, 600), timeout=30, failed=despair)
async def errand(args: Errand, work: Work) -> None:
    """Run an errand."""
    STATE.tries.append(work)
    await STATE.does.get(args.label, nothing)(work)
    STATE.done.append(args.label)


@job("once", retry=())
async def once(args: Errand, work: Work) -> None:
    """Run an errand that is tried once."""
    await errand.handler(args, work)


@job("hasty", timeout=0.01)
async def hasty(args: Errand, work: Work) -> None:
    """Run an errand, if that takes no time."""
    await errand.handler(args, work)


@job("forgotten")
async def forgotten(args: Errand, work: Work) -> None:
    """Nobody declares this one."""


@tool("leave", permission=None, effect="create")
async def leave(args: Leave, call: Call) -> Left:
    """Leave an errand to be done."""
    at = call.now + timedelta(seconds=args.after) if args.after else None
    chosen = {"forgotten": forgotten, "once": once, "hasty": hasty}.get(args.then, errand)
    job_id = call.enqueue(chosen, {"label": args.label}, at=at, lane=args.lane, queue=args.queue, key=args.key)
    if args.then == "refuse":
        raise Conflict("changed my mind")
    if args.then == "explode":
        raise RuntimeError("oh")
    if args.then == "save":
        with suppress(Conflict):
            async with call.savepoint():
                call.enqueue(errand, Errand(label="in vain"))
                raise Conflict("never mind")
    return Left(message="Left", job_id=job_id)


@tool("leave_outside", permission=None, effect="create", open_world=True)
async def leave_outside(args: Errand, call: Call) -> Left:
    """Leave an errand from outside of a transaction."""
    async with call.transaction() as step:
        job_id = step.enqueue(errand, args)
    return Left(message="Left", job_id=job_id)


@tool("leave_quietly", permission=None, effect="read")
async def leave_quietly(args: Errand, call: Call) -> Left:
    """Leave an errand, and say that this only reads."""
    return Left(message="Left", job_id=call.enqueue(errand, args))


@on("*")
async def tell(event: Event, call: Call) -> None:
    """Leave an errand for whatever happens."""
    call.enqueue(errand, {"label": f"{event.name} {event.record_id}"}, lane=event.record_id)


@hookimpl
def sixty_tools() -> list[Tool]:
    return [leave, leave_outside, leave_quietly]


@hookimpl
def sixty_jobs() -> list[Job]:
    return [errand, once, hasty]


@hookimpl
def sixty_reactions() -> list[Reaction]:
    return [tell]


@hookimpl
def sixty_schedules() -> list[Schedule]:
    return [Schedule("rounds", cron="0 6 * * *", job=errand, payload={"label": "rounds"})]
