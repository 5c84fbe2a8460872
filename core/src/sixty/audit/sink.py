"""The sink: what is sealed is sent on as well, batch by batch and in order, to where the operator keeps it.

Each seal leaves a job in its own burst. The operator's word is enough to reach any address; redirects are not followed.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sa

from sixty.audit.lines import line_shown, lines_of
from sixty.errors import Unavailable
from sixty.jobs.enqueuing import enqueued, id_of
from sixty.jobs.job import job
from sixty.jobs.work import Work
from sixty.storage.columns import Id
from sixty.storage.statements import Write
from sixty.tables import audit_seals, jobs
from sixty.values import Arguments
from sixty.webhooks.reporting import report

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["LANE", "Sealed", "send_seal", "sending"]

LANE = "audit-sink"
"""The lane, and the queue, of what is to be sent: one batch at a time, in order."""
DAYS = 3650
"""After the plan of webhooks, it is tried once a day for so many days: it is not given up."""

_position: sa.BindParameter[int] = sa.bindparam("at_position", type_=sa.BigInteger)
_TWO = (
    sa.select(audit_seals)
    .where(audit_seals.c.position.between(_position - 1, _position))
    .order_by(audit_seals.c.position)
)
_REMOVE = sa.delete(jobs).where(jobs.c.id == sa.bindparam("job", type_=Id), jobs.c.state == "done")


class Sealed(Arguments):
    """Which seal is to be sent."""

    position: int


def _plan(host: Host) -> tuple[float, ...]:
    return (*host.settings.webhook_retries, *repeat(86_400.0, DAYS))


@job("send_seal", retry=_plan)
async def send_seal(args: Sealed, work: Work) -> None:
    """Send a sealed batch of the audit trail to the sink."""
    host, settings = work.host, work.host.settings
    seals = await host.database.rows(_TWO, {"at_position": args.position})
    if settings.audit_sink_url is None or not seals or seals[-1]["position"] != args.position:
        return  # there is no sink any more, or the batch was removed
    seal, previous = seals[-1], seals[0] if len(seals) > 1 else None
    body = orjson.dumps(
        {
            "type": "audit.sealed",
            "position": seal["position"],
            "at": seal["at"],
            "hash": bytes(seal["hash"]).hex(),
            "previous_hash": bytes(previous["hash"]).hex() if previous is not None else None,
            "lines": [line_shown(row) for row in await lines_of(host, seal)],
        }
    )
    secret = settings.audit_sink_secret
    try:
        await report(settings.audit_sink_url, f"seal_{args.position}", body, secret=secret, now=work.now)
    except Unavailable as error:
        raise Unavailable(f"the sink of the audit trail has not taken seal {args.position}: {error}") from error
    before = id_of(work.name, _key(args.position - 1))  # there is one for each seal: nobody need look at them later
    await host.database.apply([Write(_REMOVE, {"job": before})])


def sending(host: Host, position: int) -> list[Write]:
    """The write that leaves a seal to be sent, where there is a sink."""
    name = host.registry.job_names.get(send_seal)
    if host.settings.audit_sink_url is None or name is None:
        return []
    payload = Sealed(position=position)
    return [enqueued(name, payload, now=host.clock(), due_at=None, queue=LANE, lane=LANE, key=_key(position))]


def _key(position: int) -> str:
    return f"seal:{position}"
