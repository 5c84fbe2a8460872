"""Verifying: everything is computed again, page by page, and what does not fit is found. Nothing here mends anything.

Whoever writes the database and has the key can write a trail that verifies, but not against a head kept elsewhere.
Nothing that stands in the database is believed to be of the right form: what cannot be read is a finding, too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from sixty.audit.lines import lines_of
from sixty.audit.marks import marks
from sixty.audit.ranges import Ranges, ranges_of
from sixty.audit.report import SHOWN, Head, Report
from sixty.audit.sealing import LATE
from sixty.audit.signing import NOTHING, chained, is_erased, is_moment
from sixty.errors import SixtyError, Unavailable
from sixty.storage.columns import Json
from sixty.storage.functions import each
from sixty.tables import audit, audit_seals

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from sixty.audit.marks import Mark
    from sixty.audit.signing import Signer
    from sixty.host import Host
    from sixty.storage.statements import Row

__all__ = ["ERASED", "OURS", "verify"]

ERASED = "audit.erased"
"""What the lines are named that say which others were erased: `lines` among their arguments has the ranges."""
OURS = "core"
"""The transport of such a line. No caller comes by it, who may name any tool and give it any arguments."""
PAGE = 200
"""Seals that are read at once."""
NUMBERS, LINES = 10_000, 500
"""Numbers of lines that are read at once, and lines."""
LARGEST = 100_000
"""Lines of one seal that are believed: more than any version of Sixty has put into one."""
CHANGING = timedelta(hours=1)
"""For how long after a key was set lines may still be signed by the database's own: servers start one by one."""

_T = TypeVar("_T")
_after: sa.BindParameter[int] = sa.bindparam("after", type_=sa.BigInteger)
_after_it = audit_seals.c.position > _after, audit_seals.c.position <= sa.literal_column(str(2**62))
_SEALS = (
    sa.select(audit_seals)
    .where(*_after_it)
    .order_by(audit_seals.c.position)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_POSITION = sa.select(audit_seals.c.position).where(*_after_it).order_by(audit_seals.c.position).limit(1)
_NUMBERS = (
    sa.select(audit.c.seq, audit.c.mac.is_(None).label("unsigned"))
    .where(audit.c.seq > _after)
    .order_by(audit.c.seq)
    .limit(NUMBERS)
)
_BELOW = sa.select(audit.c.seq).where(audit.c.seq < sa.literal_column("1")).order_by(audit.c.seq).limit(SHOWN)
_wanted = each(sa.bindparam("seqs", type_=Json)).texts().subquery()
_LINES = (
    sa.select(audit).where(audit.c.seq.in_(sa.select(sa.cast(_wanted.c.value, sa.BigInteger)))).order_by(audit.c.seq)
)
_twice = (
    sa.select(audit.c.mac, sa.func.min(audit.c.seq).label("first"))
    .where(audit.c.mac.is_not(None))
    .group_by(audit.c.mac)
    .having(sa.func.count() > sa.literal_column("1"))
    .subquery()
)
_COPIES = (
    sa.select(audit.c.seq, audit.c.call_id, _twice.c.first)
    .join_from(audit, _twice, audit.c.mac == _twice.c.mac)
    .where(audit.c.seq != _twice.c.first)
    .order_by(audit.c.seq)
    .limit(SHOWN)
)


async def verify(host: Host, *, head: Head | None = None) -> Report:
    """What there is and what does not fit; with a `head` that was kept, also whether the chain has held it."""
    signer = host.audit.signer
    if signer is None:
        raise Unavailable("the database has no place for seals; run `sixty db upgrade`")
    while True:
        before = await _marks(host)
        report = await _Verification(host, signer, head).run(before)
        if before is None or (now := await _marks(host)) is None:
            return report
        if now["anchor"]["position"] == before["anchor"]["position"]:
            return report  # else lines were removed meanwhile, by retention, and what was missed is none


async def _marks(host: Host) -> dict[Mark, Row] | None:
    """Where the chain begins and ends, by name; None where somebody has made that something else."""
    found = await _readable(marks(host.database)) or {}
    is_whole = {"anchor", "head"} <= found.keys() and all(
        isinstance(mark["position"], int) and 0 <= mark["position"] < 2**63 and isinstance(mark["hash"], bytes)
        for mark in found.values()
    )
    return found if is_whole else None


async def _readable(reading: Awaitable[_T]) -> _T | None:
    """What was read; None if something of it is of no form that could be read."""
    try:
        return await reading
    except SixtyError:  # the database does not answer
        raise
    except Exception:  # noqa: BLE001 - SQLite takes anything in any column, and so there is no list of what comes of it
        return None


class _Verification:
    """One walk along the chain, and over what is not in it."""

    def __init__(self, host: Host, signer: Signer, kept: Head | None) -> None:
        self._host = host
        self._signer = signer
        self._kept = kept
        self._report = Report()
        self._sealed = Ranges()
        self._first = 0
        self._erased = Ranges()
        self._recorded = Ranges()
        self._unreadable: set[int] = set()
        self._keyed_at: datetime | None = None

    async def run(self, before: dict[Mark, Row] | None) -> Report:
        """Everything is looked at once; `before` are the marks as it begins."""
        if before is None:
            self._report.finds("seals", "where the chain begins and where it ends is marked no more")
        else:
            position, digest = await self._along(before["anchor"])
            await self._check_end(before["head"], position, digest)
        await self._beside()
        await self._check_copies()
        self._check_erased()
        return self._report

    # -- the chain

    async def _along(self, anchor: Row) -> tuple[int, bytes]:
        """The last seal's position and hash."""
        position, digest = anchor["position"], bytes(anchor["hash"])
        self._report.removed_through = position
        self._compare(position, digest)
        if (position, digest) != (0, NOTHING) and not self._marked("anchor", anchor):
            self._report.finds("seals", f"that everything up to seal {position} was removed is not signed")
        while seals := await self._following(position):
            for seal in seals:
                if seal["position"] > position + 1:
                    missing = f"seals {position + 1} to {seal['position'] - 1} are missing"
                    self._report.finds("seals", missing)
                    digest = b""
                position, digest = await self._seal(seal, digest)
        return position, digest

    async def _following(self, position: int) -> list[Row]:
        """The next seals; of one that cannot be read there is nothing but its position."""
        for most in (PAGE, 1):
            seals = await _readable(self._host.database.rows(_SEALS, {"after": position, "most": most}))
            if seals is not None:
                return seals
        return await self._host.database.rows(_POSITION, {"after": position})

    async def _seal(self, seal: Row, previous: bytes) -> tuple[int, bytes]:
        report, position = self._report, seal["position"]
        report.seals += 1
        if not _is_seal(seal):
            report.finds("seals", f"seal {position} is not as it was made")
            return position, b""
        digest = bytes(seal["hash"])
        self._compare(position, digest)
        key = self._signer.marker_of("seal", position, digest, seal["mac"])
        if key is None:
            report.finds("seals", f"seal {position} is not signed by any key of ours")
        else:
            self._check_key(key, seal["at"], f"seal {position}")
        self._first = self._first or seal["first_seq"]
        self._sealed.update(seal["seqs"])
        lines = await _readable(lines_of(self._host, seal))
        if lines is None:
            lines = await self._one_by_one([seq for first, last in seal["seqs"] for seq in range(first, last + 1)])
        for row in lines:
            self._line(row, seal["at"])
        whole = self._is_whole(seal, lines)
        signed = [(row["seq"], row["mac"] if isinstance(row["mac"], bytes) else None) for row in lines]
        if whole and previous and chained(previous, position, seal["at"], signed) != digest:
            report.finds("seals", f"seal {position} does not fit its lines and the seal before it")
        return position, digest

    async def _one_by_one(self, seqs: list[int]) -> list[Row]:
        """Of these lines those that can be read. The others were changed into what is no line."""
        lines = []
        for seq in seqs:
            found = await _readable(self._host.database.rows(_LINES, {"seqs": [str(seq)]}))
            if found is None:
                self._report.finds("changed", f"the line {seq} is not as it was written: it cannot be read", seq=seq)
                self._unreadable.add(seq)
            lines += found or []
        return lines

    def _is_whole(self, seal: Row, lines: list[Row]) -> bool:
        """Whether no line of a seal is missing, or cannot be read."""
        there = {row["seq"] for row in lines}
        lacking = [seq for first, last in seal["seqs"] for seq in range(first, last + 1) if seq not in there]
        missing = [seq for seq in lacking if seq not in self._unreadable]
        for first, last in ranges_of(missing):
            which = f"the line {first}" if first == last else f"the lines {first} to {last}"
            self._report.finds("removed", f"{which} of seal {seal['position']} are missing", seq=first)
        return not lacking

    def _line(self, row: Row, at: datetime) -> None:
        report, seq, call_id = self._report, row["seq"], row["call_id"]
        if row["mac"] is None:
            report.finds("inserted", f"the line {seq} is not signed", seq=seq, call_id=call_id)
            return
        key = self._signer.signer_of(row)
        if key is None:
            report.finds("changed", f"the line {seq} is not as it was written", seq=seq, call_id=call_id)
            return
        self._check_key(key, at, f"the line {seq}", row)
        report.lines += 1
        if is_erased(row):
            report.erased += 1
            self._erased.add(seq, seq)
        else:
            self._take_down(row)

    def _take_down(self, row: Row) -> None:
        """Which lines were erased, if this one says so and Sixty itself has written it."""
        if row["tool"] == ERASED and row["transport"] == OURS:
            self._recorded.update(row["arguments"]["lines"])

    def _check_key(self, key: int, at: datetime, what: str, row: Row | None = None) -> None:
        """Where a key is set, the one in the database proves nothing, unless it is named as one from before."""
        if not self._signer.is_own(key):
            self._keyed_at = self._keyed_at or at
            return
        is_before = self._keyed_at is None or at <= self._keyed_at + CHANGING
        if not (self._signer.takes_own and is_before):
            why = "SIXTY_AUDIT_KEY was set before" if self._signer.takes_own else "SIXTY_AUDIT_KEY does not name it"
            seq, call_id = (row["seq"], row["call_id"]) if row is not None else (None, None)
            message = f"{what} is signed by the database's own key, although {why}"
            self._report.finds("inserted" if row is not None else "seals", message, seq=seq, call_id=call_id)

    def _marked(self, name: Mark, mark: Row) -> bool:
        return self._signer.marker_of(name, mark["position"], bytes(mark["hash"]), mark["mac"]) is not None

    def _compare(self, position: int, digest: bytes) -> None:
        kept = self._kept
        if kept is not None and kept.position == position and kept.hash != digest.hex():
            self._report.finds("head", f"seal {position} was {kept.hash} when its head was kept, and is {digest.hex()}")

    # -- what is not in it

    async def _beside(self) -> None:
        """Lines that are not sealed are old ones, new ones, or nobody knows where from."""
        for row in await self._host.database.rows(_BELOW):
            seq = row["seq"]
            self._report.finds("inserted", f"the line {seq} has a number that Sixty gives to none", seq=seq)
        after = 0
        while numbers := await self._host.database.rows(_NUMBERS, {"after": after}):
            others = []
            for row in numbers:
                if row["seq"] in self._sealed:
                    continue
                if row["unsigned"] and self._is_of_before(row["seq"]):
                    self._report.before += 1
                else:
                    others.append(str(row["seq"]))
            for start in range(0, len(others), LINES):
                some = others[start : start + LINES]
                rows = await _readable(self._host.database.rows(_LINES, {"seqs": some}))
                for row in await self._one_by_one([int(seq) for seq in some]) if rows is None else rows:
                    self._unsealed(row)
            after = numbers[-1]["seq"]

    def _is_of_before(self, seq: int) -> bool:
        """Whether a line may be from before lines were signed. Retention leaves none of them behind."""
        return self._report.removed_through == 0 and (seq < self._first or not self._first)

    def _unsealed(self, row: Row) -> None:
        report, seq = self._report, row["seq"]
        if self._signer.signer_of(row) is None:
            what = "is not signed" if row["mac"] is None else "is signed by nobody, or was changed"
            report.finds("inserted", f"the line {seq} {what}", seq=seq, call_id=row["call_id"])
        elif seq < self._sealed.last and row["at"] < self._host.clock() - 2 * timedelta(seconds=LATE):
            message = f"the line {seq} is in no seal, although later ones are"
            report.finds("inserted", message, seq=seq, call_id=row["call_id"])
        else:
            report.unsealed += 1
            report.unsealed_since = min(report.unsealed_since or row["at"], row["at"])
            self._take_down(row)

    async def _check_copies(self) -> None:
        """No two lines have the same signature, of which each has its own salt: whoever has no key can but copy one."""
        told = {finding.seq for finding in self._report.findings}
        for row in await self._host.database.rows(_COPIES):
            if told & {row["seq"], row["first"]}:
                continue
            message = f"the lines {row['first']} and {row['seq']} are the same, and Sixty wrote one of them"
            self._report.finds("inserted", message, seq=row["seq"], call_id=row["call_id"])

    # -- and in the end

    def _check_erased(self) -> None:
        for first, last in self._erased:
            for seq in range(first, last + 1):
                if seq not in self._recorded:
                    self._report.finds(
                        "erased", f"the line {seq} is empty, and no line says that it was erased", seq=seq
                    )

    async def _check_end(self, then: Row, position: int, digest: bytes) -> None:
        report, now = self._report, ((await _marks(self._host)) or {"head": then})["head"]
        report.head = Head(position, digest.hex() if digest else bytes(then["hash"]).hex())
        if position < then["position"]:
            report.finds("seals", f"seals {position + 1} to {then['position']} are missing: they were the newest")
        elif position > now["position"]:
            report.finds("seals", f"the chain goes on after seal {now['position']}, which is marked as its end")
        elif position == now["position"] and position and not self._marked("head", now):
            report.finds("seals", f"that the chain ends with seal {position} is not signed")
        if self._kept is not None and self._kept.position > position:
            report.finds("head", f"seal {self._kept.position} was there when its head was kept, and is not any more")
        elif self._kept is not None and self._kept.position < report.removed_through:
            kept, removed = self._kept.position, report.removed_through
            report.finds("head", f"seal {kept} cannot be compared: retention has removed everything up to {removed}")


def _is_seal(seal: Row) -> bool:
    """Whether a row is of the form that seals have: its ranges are in order, and of as many numbers as it says."""
    if not isinstance(seal.get("hash"), bytes) or not isinstance(seal["mac"], bytes) or not is_moment(seal["at"]):
        return False
    seqs, before, count = seal["seqs"], 0, 0
    for pair in seqs if isinstance(seqs, list) else ():
        if (
            not isinstance(pair, list)
            or [type(number) for number in pair] != [int, int]
            or not before < pair[0] <= pair[1]
        ):
            return False
        before, count = pair[1], count + pair[1] - pair[0] + 1
    ends = (seal["first_seq"], seal["last_seq"], seal["lines"])
    return 0 < count <= LARGEST and before < 2**63 and ends == (seqs[0][0], before, count)
