"""Sealing: what is committed is chained, in batches, by whichever serving process comes to it first.

A seal is one burst that expects the chain to end where this process has seen it end, so that no lock is held and no
line is sealed twice. Where several processes serve, whoever has sealed last goes on, and the others stand by.

Lines are sealed in the order of their numbers. On Postgres one may be committed after another that has a later number;
it is looked for for a while, and goes into a later seal.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.audit.marks import marks, moving
from sixty.audit.ranges import ranges_of
from sixty.audit.signing import NOTHING, chained
from sixty.audit.sink import sending
from sixty.errors import Conflict
from sixty.outage import Outage
from sixty.storage.columns import Json
from sixty.storage.database import IntegrityViolation, StaleWrite
from sixty.storage.functions import each
from sixty.storage.statements import NEW, Write
from sixty.tables import audit, audit_seals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.host import Host
    from sixty.storage.statements import Row

__all__ = ["LATE", "Sealer"]

BATCH = 1_000
"""Lines of one seal at the most."""
PAUSE = 0.5
"""Seconds between two looks at the least."""
STANDING_BY = 0.4
"""The same of a process that leaves it to another one, and takes over once that has not sealed from one to the next."""
TURNS = 0.1
"""Seconds by which a process may come later than another, so that not all of them want to make the same seal."""
AWAY = 1.0
"""Seconds after which a database that did not answer is asked again."""
LATE = 120.0
"""Seconds for which a number that is missing is looked for: far longer than any commit takes."""
FRESH, SELDOM = 3.0, 10.0
"""A number that is missing is looked for each time for so many seconds, and then every so many."""
MISSING = 10_000
"""Numbers that are looked for at the most, the newest."""
KNOWN = 512
"""Seals, the newest, in which a process looks for missing numbers when it begins."""
TRIES = 20
"""How often in a row another process may be faster."""
FIRST = 100
"""Numbers before the first that is signed, which may be committed after it."""
AT_THE_END = 10
"""Seals that a process makes at the most before it ends."""

_through: sa.BindParameter[int] = sa.bindparam("through", type_=sa.BigInteger)
_seen: sa.BindParameter[int] = sa.bindparam("seen", type_=sa.BigInteger)
_head = sa.select(sa.func.coalesce(sa.func.max(audit_seals.c.position), 0).label("head")).subquery()
_after = (
    sa.select(audit.c.seq, audit.c.mac)
    .where(audit.c.seq > _through)
    .order_by(audit.c.seq)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .subquery()
)
_AFTER = (
    sa.select(_head.c.head, _after.c.seq, _after.c.mac)
    .select_from(_head.outerjoin(_after, sa.true()))
    .order_by(_after.c.seq)
)
"""Where the chain ends, and the next lines: at least one row."""
_AMONG = sa.select(audit.c.seq, audit.c.mac).where(
    audit.c.mac.is_not(None),
    audit.c.seq.in_(
        sa.select(sa.cast(each(sa.bindparam("seqs", type_=Json)).texts().subquery().c.value, sa.BigInteger))
    ),
)
_COUNT = sa.select(sa.func.count().label("lines")).where(audit.c.seq > _through)
_FIRST = sa.select(sa.func.min(audit.c.seq).label("seq")).where(audit.c.mac.is_not(None))
_SEALS = (
    sa.select(audit_seals.c.position, audit_seals.c.seqs, audit_seals.c.hash)
    .where(audit_seals.c.position > _seen)
    .order_by(audit_seals.c.position)
    .limit(KNOWN)
)
_SEALED = sa.select(sa.func.max(audit_seals.c.last_seq).label("seq")).where(
    audit_seals.c.position.between(_seen - KNOWN, _seen)
)
_ADD = sa.insert(audit_seals)
_logger = logging.getLogger(__name__)


class Sealer:
    """Seals what is committed. It knows the end of the chain, and which numbers before it are missing."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._due = asyncio.Event()
        self._turn = asyncio.Lock()
        self._position = -1  # not known yet
        self._hash = NOTHING
        self._through = 0
        self._missing: dict[int, float] = {}
        self._looked = 0.0
        self._stands_by = False
        self.to_the_end = False
        """Whether this process seals what it has written itself, when it ends."""
        self.unsealed = 0
        """Lines that were committed and not sealed when this process looked last."""

    async def check_key(self) -> None:
        """Whoever writes with another key than those before is warned: what they write will be taken for forged."""
        signer = self._host.audit.signer
        head = (await marks(self._host.database)).get("head")
        if signer is None or head is None or not head["position"]:
            return  # one that somebody has removed is for `sixty audit verify` to find
        key = signer.marker_of("head", head["position"], bytes(head["hash"]), head["mac"])
        if key is not None and signer.is_own(key) and not signer.takes_own:
            _logger.warning(
                "the audit trail was sealed with the database's own key until now: if it was you who has set "
                "SIXTY_AUDIT_KEY since, put `,database` behind it, or `sixty audit verify` will take it for forged"
            )
        elif key is None:
            _logger.warning(
                "the audit trail was sealed with a key that this process does not have: "
                "set SIXTY_AUDIT_KEY as it is elsewhere, or `sixty audit verify` will take these lines for forged"
            )

    async def lists_may_have_changed(self) -> None:
        """Nothing of that is sealed."""

    async def records_may_have_changed(self) -> None:
        """Somebody has written, and so there are lines."""
        self._due.set()

    @asynccontextmanager
    async def sealing(self) -> AsyncIterator[None]:
        """Within the block, what is committed is sealed within a second, whichever process has written it."""
        self.to_the_end = True
        self._due.set()  # by what nobody has sealed until now
        async with self._host.watching(self):
            task = asyncio.create_task(self._seal_on())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait((task,))

    async def _seal_on(self) -> None:
        outage = Outage(
            _logger, "the audit trail cannot be sealed; it is tried again", "the audit trail can be sealed again"
        )
        while await self._due.wait():
            self._due.clear()
            await asyncio.sleep(random.uniform(0, TURNS))  # noqa: S311 - nobody need be unable to guess it
            self._stands_by = False
            with outage.survived():
                await self.seal(may_stand_by=True)
            if outage.lasts or self._stands_by:
                self._due.set()  # the other process may be gone, or have left what came late
            await asyncio.sleep(AWAY if outage.lasts else STANDING_BY if self._stands_by else PAUSE)

    async def seal(self, most: int | None = None, *, may_stand_by: bool = False) -> int:
        """Whatever was committed is sealed, by at most so many seals; how many lines this process has sealed.

        One that may stand by does so where another process has sealed since it looked last.
        """
        sealed, vain = 0, 0
        async with self._turn:
            is_all = False
            while (most is None or most > 0) and not is_all and (found := await self._found(may_stand_by=may_stand_by)):
                done = await self._put(found)
                is_all = 0 < done < BATCH
                vain = 0 if done else vain + 1
                if vain == TRIES:
                    raise Conflict(
                        "the chain does not end where its seals end; `sixty audit verify` says what is wrong"
                    )
                sealed += done
                most = None if most is None else most - 1
        return sealed

    async def close(self) -> None:
        """What this process has written is sealed, if the database allows it now."""
        if not self.to_the_end or self._host.audit.signer is None:
            return
        try:
            await self.seal(AT_THE_END)
        except Exception as error:  # noqa: BLE001 - the next process does it
            _logger.info("the last lines of the audit trail are still to be sealed: %s", error)

    async def _found(self, *, may_stand_by: bool) -> list[Row]:
        """The lines of the next seal; none where they are left to another process."""
        if self._position < 0:
            await self._begin()
        if self._position < 0:  # nothing is signed yet
            return []
        rows = await self._after()
        while rows[0]["head"] > self._position:
            await self._catch_up()
            if may_stand_by:
                self._stands_by = True
                self.unsealed = sum(row["seq"] is not None and row["seq"] > self._through for row in rows)
                return []
            rows = await self._after()
        if rows[0]["seq"] is None:
            rows = []
        if len(rows) == BATCH:
            self.unsealed = (await self._host.database.rows(_COUNT, {"through": self._through}))[0]["lines"]
        else:
            self.unsealed = len(rows)
        if wanted := self._wanted():
            late = await self._host.database.rows(_AMONG, {"seqs": [str(seq) for seq in wanted]})
            rows = sorted(late, key=lambda row: row["seq"]) + rows
        return rows[:BATCH]

    async def _put(self, lines: list[Row]) -> int:
        """The lines are sealed, or another process was faster; how many they were."""
        host, signer, position = self._host, self._host.audit.signer, self._position + 1
        if signer is None:
            raise LookupError("the database has no place for seals; run `sixty db upgrade`")
        now = host.clock()
        seqs = ranges_of(row["seq"] for row in lines)
        digest = chained(self._hash, position, now, [(row["seq"], row["mac"] and bytes(row["mac"])) for row in lines])
        seal: dict[str, Any] = {
            "position": position,
            "seqs": seqs,
            "first_seq": seqs[0][0],
            "last_seq": seqs[-1][1],
            "lines": len(lines),
            "at": now,
            "hash": digest,
            "mac": signer.mark("seal", position, digest),
        }
        writes = [Write(_ADD, seal, row=NEW), moving("head", self._position, position, digest, signer=signer, now=now)]
        try:
            await host.database.apply([*writes, *sending(host, position)])
        except (StaleWrite, IntegrityViolation):
            return 0
        self._saw(position, seqs, digest)
        self.unsealed = max(0, self.unsealed - len(lines))
        return len(lines)

    async def _after(self) -> list[Row]:
        """What `_AFTER` finds after the lines that are known to be sealed."""
        return await self._host.database.rows(_AFTER, {"through": self._through, "most": BATCH})

    async def _catch_up(self) -> None:
        """Know where the chain ends now."""
        is_all = False
        while not is_all:
            rows = await self._host.database.rows(_SEALS, {"seen": self._position})
            for row in rows:
                self._saw(row["position"], row["seqs"], bytes(row["hash"]))
            is_all = len(rows) < KNOWN

    async def _begin(self) -> None:
        """Know a place near the end of the chain, and the greatest number that is sealed there."""
        database = self._host.database
        marked = await marks(database)
        anchor = marked["anchor"]
        position = max(anchor["position"], marked["head"]["position"] - KNOWN)
        sealed = (await database.rows(_SEALED, {"seen": position}))[0]["seq"] if position else None
        if sealed is None:  # what is before the first line that is signed was written before lines were
            first = (await database.rows(_FIRST))[0]["seq"]
            sealed = None if first is None else first - 1
            if sealed is not None:  # the first may not be the one that is committed first
                self._missing = dict.fromkeys(range(max(1, sealed + 1 - FIRST), sealed + 1), monotonic())
        if sealed is not None:
            self._position, self._through = position, sealed
            self._hash = bytes(anchor["hash"])  # which counts if nothing comes after it

    def _saw(self, position: int, seqs: list[list[int]], digest: bytes) -> None:
        """The chain is longer by this seal."""
        self._position, self._hash = position, digest
        now = monotonic()
        for first, last in seqs:
            for seq in range(first, min(last, self._through) + 1):
                self._missing.pop(seq, None)
            for seq in range(max(self._through + 1, first - MISSING), first):
                self._missing[seq] = now
            self._through = max(self._through, last)

    def _wanted(self) -> list[int]:
        """The missing numbers that are to be looked for now."""
        now = monotonic()
        for seq, since in list(self._missing.items()):  # the oldest first
            if now - since <= LATE and len(self._missing) <= MISSING:
                break
            del self._missing[seq]
        everything = now - self._looked >= SELDOM
        if everything:
            self._looked = now
        return [seq for seq, since in self._missing.items() if everything or now - since <= FRESH]
