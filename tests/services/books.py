"""What the database must say when the callers have gone: all that was acknowledged, and nothing by halves."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from services.callers import ITEMS

from sixty.storage.database import open_database
from sixty.tables import audit, changes, jobs, records
from sixty_activities.tables import activities
from sixty_deals.tables import deals
from sixty_tasks.tables import tasks

if TYPE_CHECKING:
    from datetime import timedelta

    from services.callers import Callers

    from sixty.storage.database import Reader

KINDS = {"deal": deals, "activity": activities, "task": tasks}
WHOLE = {
    "create_deal": Counter({("deals", "insert"): 1, ("deal_stages", "insert"): 1}),
    "move_deal_stage": Counter(
        {
            ("deals", "update"): 1,
            ("deal_stages", "update"): 1,
            ("deal_stages", "insert"): 1,
            ("activities", "insert"): 1,
            ("tasks", "insert"): 1,
        }
    ),
    "bulk_schedule_activities": Counter({("activities", "insert"): ITEMS}),
}
"""What one call of each tool does, reactions and all."""


def judge(url: str, callers: Callers, *, webhook_event: str = "deal.stage_changed") -> None:
    """Raise `AssertionError` unless the books are right."""
    asyncio.run(_judge(url, callers, webhook_event))


async def _judge(url: str, callers: Callers, event: str) -> None:
    database = await open_database(url)
    try:
        async with database.snapshot() as reader:
            await _nothing_by_halves(reader)
            await _nothing_lost(reader, callers)
            await _told_once(reader, callers, event)
    finally:
        await database.close()


async def _nothing_by_halves(reader: Reader) -> None:
    """Each call in the history is there with all that it does, and with its line in the audit trail."""
    done: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in await reader.rows(sa.select(changes.c.call_id, changes.c.table_name, changes.c.op)):
        done[row["call_id"]][row["table_name"], row["op"]] += 1
    lines = await reader.rows(sa.select(audit.c.call_id, audit.c.tool).where(audit.c.outcome == "ok"))
    lines = [row for row in lines if row["tool"] in WHOLE]
    tools = {row["call_id"]: row["tool"] for row in lines}
    assert set(done) <= set(tools), "a change is not audited"
    assert not [tools[call_id] for call_id in set(tools) - set(done)], "what was done once was asked for again"
    assert len(tools) == len(lines), "a call was audited twice"
    for call_id, what in done.items():
        assert what == WHOLE[tools[call_id]], (tools[call_id], what)
    for kind, table in KINDS.items():
        spine = await reader.rows(sa.select(records.c.id, records.c.owner_id).where(records.c.kind == kind))
        rows = await reader.rows(sa.select(table.c.id, table.c.owner_id))
        assert _pairs(spine) == _pairs(rows), f"the spine and the table of {kind} differ"


async def _nothing_lost(reader: Reader, callers: Callers) -> None:
    """What was acknowledged is there, once, with what it has caused."""
    known = {row["call_id"] for row in await reader.rows(sa.select(changes.c.call_id).distinct())}
    lost = [write for write in callers.writes if write.call_id not in known]
    assert not lost, f"{len(lost)} acknowledged writes are lost, such as {lost[0]}"
    assert len({write.call_id for write in callers.writes}) == len(callers.writes), "two writes got one answer"
    titles = Counter(row["title"] for row in await reader.rows(sa.select(deals.c.title)))
    made = {write.arguments["title"] for write in callers.writes if write.tool == "create_deal"}
    assert titles == Counter(dict.fromkeys(made, 1)), "a deal is missing, or there twice, or nobody was told of it"
    described = Counter(row["description"] for row in await reader.rows(sa.select(activities.c.description)))
    for write in callers.writes:
        if write.tool == "bulk_schedule_activities":
            assert {described[item["description"]] for item in write.arguments["activities"]} == {1}
    moved = {write.arguments["deal_id"] for write in callers.writes if write.tool == "move_deal_stage"}
    proposed = await reader.rows(sa.select(activities.c.deal_id).where(activities.c.type == "proposal_sent"))
    followed_up = await reader.rows(sa.select(tasks.c.deal_id).where(tasks.c.automation.is_not(None)))
    for rows in (proposed, followed_up):
        assert Counter(row["deal_id"] for row in rows) == Counter(dict.fromkeys(moved, 1))
    for write, answer in callers.again:
        assert answer == write.answer, "a call that was repeated with its key was answered differently"


async def _told_once(reader: Reader, callers: Callers, event: str) -> None:
    """Each move has left one job for the receiver, and no other call has."""
    left = await reader.rows(sa.select(jobs.c.call_id, jobs.c.payload).where(jobs.c.name == "core.deliver"))
    told = Counter(row["call_id"] for row in left if row["payload"]["event"] == event)
    moves = {write.call_id for write in callers.writes if write.tool == "move_deal_stage"}
    assert told == Counter(dict.fromkeys(moves, 1))


async def reads(url: str) -> int:
    """How many reads the audit trail knows."""
    database = await open_database(url)
    try:
        is_read = sa.and_(audit.c.effect == "read", audit.c.outcome == "ok")
        return len(await database.rows(sa.select(audit.c.seq).where(is_read)))
    finally:
        await database.close()


async def span(url: str) -> timedelta:
    """From the first to the last time that the audit trail knows."""
    database = await open_database(url)
    try:
        (row,) = await database.rows(sa.select(sa.func.min(audit.c.at).label("a"), sa.func.max(audit.c.at).label("b")))
    finally:
        await database.close()
    duration: timedelta = row["b"] - row["a"]
    return duration


def _pairs(rows: list[Any]) -> set[tuple[str, str]]:
    return {(row["id"], row["owner_id"]) for row in rows}
