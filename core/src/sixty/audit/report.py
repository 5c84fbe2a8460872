"""What came of verifying the trail: how much there is, what was found, and the head to keep elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Finding", "Head", "Report"]

SHOWN = 1_000
"""Findings that are kept; all are counted."""

What = Literal["changed", "removed", "inserted", "erased", "seals", "head"]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends: whoever keeps it can tell later whether the chain of then is still a part of this one."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head that `str` made. Raises `ValueError`."""
        position, _, digest = text.strip().partition(":")
        if len(bytes.fromhex(digest)) != len(bytes(32)):
            raise ValueError(text)
        return cls(int(position), digest.lower())


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that nobody but an intruder, or a loss of data, explains."""

    what: What
    message: str
    seq: int | None = None
    call_id: str | None = None


@dataclass
class Report:
    """What came of it."""

    lines: int = 0
    """Lines that are sealed, and as they were written or erased as recorded."""
    seals: int = 0
    erased: int = 0
    before: int = 0
    """Lines from before lines were signed."""
    removed_through: int = 0
    """The last seal that retention has removed."""
    unsealed: int = 0
    unsealed_since: datetime | None = None
    head: Head | None = None
    found: int = 0
    findings: list[Finding] = field(default_factory=list)

    def finds(self, what: What, message: str, *, seq: int | None = None, call_id: str | None = None) -> None:
        """One more finding."""
        self.found += 1
        if len(self.findings) < SHOWN:
            self.findings.append(Finding(what, message, seq, call_id))

    def to_json(self) -> dict[str, Any]:
        """The report for scripts."""
        return {
            "ok": self.found == 0,
            "lines": self.lines,
            "seals": self.seals,
            "erased": self.erased,
            "before_signing": self.before,
            "removed_through": self.removed_through,
            "unsealed": self.unsealed,
            "unsealed_since": self.unsealed_since.isoformat() if self.unsealed_since else None,
            "head": str(self.head) if self.head else None,
            "found": self.found,
            "findings": [
                {name: getattr(one, name) for name in ("what", "seq", "call_id", "message")} for one in self.findings
            ],
        }
