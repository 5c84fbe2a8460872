"""Retention: whole batches that are older than the operator keeps them go every night; the chain begins after them.

What was sealed last of them stays as a signed mark, from which the rest is verified, and a line says what has gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.audit.entry import Entry
from sixty.audit.marks import marks, moving
from sixty.audit.sink import LANE
from sixty.ids import new_id
from sixty.jobs.job import Nothing, job
from sixty.jobs.schedule import Schedule
from sixty.jobs.work import Work
from sixty.storage.columns import Instant
from sixty.storage.statements import Write
from sixty.tables import audit, audit_seals, jobs

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.host import Host
    from sixty.storage.statements import Row

__all__ = ["REMOVED", "RETENTION", "remove_old_lines"]

REMOVED = "audit.removed"
"""What the lines are named that say what has gone."""
AT_ONCE = 20
"""Batches that one transaction removes."""
UNSIGNED = 1_000
"""Lines from before they were signed that one transaction removes."""

_before: sa.BindParameter[Any] = sa.bindparam("before", type_=Instant)
_first, _last = (sa.bindparam(name, type_=sa.BigInteger) for name in ("first", "last"))
_SEALS = sa.select(audit_seals).order_by(audit_seals.c.position).limit(sa.bindparam("most", type_=sa.Integer))
_TO_SEND = sa.select(jobs.c.payload).where(jobs.c.lane == LANE, jobs.c.finished_at.is_(None)).order_by(jobs.c.seq)
_LINES = sa.delete(audit).where(audit.c.seq.between(_first, _last))
_SEALED = sa.delete(audit_seals).where(audit_seals.c.position.between(_first, _last))
_old = sa.select(audit.c.seq).where(audit.c.seq < _first, audit.c.mac.is_(None), audit.c.at < _before)
_OLDER = sa.select(audit.c.seq).where(audit.c.seq < _first, audit.c.mac.is_(None)).limit(1)
_UNSIGNED = sa.delete(audit).where(audit.c.seq.in_(_old.order_by(audit.c.seq).limit(UNSIGNED).correlate(None)))


@job("remove_old_lines")
async def remove_old_lines(args: Nothing, work: Work) -> None:  # noqa: ARG001 - every job has arguments
    """Remove what the audit trail no longer keeps."""
    host = work.host
    if host.settings.audit_keep_days is None:
        return
    before = work.now - timedelta(days=host.settings.audit_keep_days)
    waiting = await host.database.rows(_TO_SEND)
    unsent = min((row["payload"].get("position", 0) for row in waiting), default=None)
    while await _remove(host, before, unsent):
        pass


async def _remove(host: Host, before: datetime, unsent: int | None) -> bool:
    """The oldest batches have gone, if they are old enough and were sent; whether there may be more."""
    seals = await host.database.rows(_SEALS, {"most": AT_ONCE})
    old = [row for row in seals if row["at"] < before and (unsent is None or row["position"] < unsent)]
    async with host.database.transaction() as transaction:
        unsigned = 0
        if seals:
            unsigned = await transaction.execute(_UNSIGNED, {"first": seals[0]["first_seq"], "before": before})
            if await transaction.rows(_OLDER, {"first": seals[0]["first_seq"]}):
                old = []  # once there is an anchor, a line before it that is not signed is forged
        if not old and not unsigned:
            return False
        lines = unsigned
        for row in old:
            for first, last in row["seqs"]:
                lines += await transaction.execute(_LINES, {"first": first, "last": last})
        anchor = (await marks(transaction))["anchor"]
        await transaction.apply(_told(host, old, lines, before, anchor))
    return len(old) == AT_ONCE or unsigned == UNSIGNED


def _told(host: Host, old: list[Row], lines: int, before: datetime, anchor: Row) -> list[Write]:
    """The seals go, the anchor moves, and a line says so."""
    writes = [host.audit.write(_line(host, old, lines, before))]
    if old and host.audit.signer is not None:
        position, digest = old[-1]["position"], bytes(old[-1]["hash"])
        writes.append(Write(_SEALED, {"first": old[0]["position"], "last": position}, expect=len(old)))
        signer, now = host.audit.signer, host.clock()
        writes.append(moving("anchor", anchor["position"], position, digest, signer=signer, now=now))
    return writes


def _line(host: Host, old: list[Row], lines: int, before: datetime) -> Entry:
    through = {"through_seal": old[-1]["position"], "hash": bytes(old[-1]["hash"]).hex()} if old else {}
    return Entry(
        call_id=new_id(),
        at=host.clock(),
        tool=REMOVED,
        effect="destroy",
        outcome="ok",
        message=f"{lines} lines from before {before.isoformat()} were removed",
        arguments={"lines": lines, "before": before.isoformat(), **through},
        transport="job",
        client="core.remove_old_lines",
    )


RETENTION = Schedule("audit_every_night", cron="41 3 * * *", job=remove_old_lines)
