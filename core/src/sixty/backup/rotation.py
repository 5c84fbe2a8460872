"""Which backups are kept: the newest, and the last one of each of the latest days, weeks and months. No file here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import datetime

    from sixty.backup.manifest import Name

__all__ = ["Keep", "superfluous"]


class Keep(NamedTuple):
    """For how many days, weeks and months that have a backup one of them is kept."""

    daily: int
    weekly: int
    monthly: int


_PERIODS: tuple[Callable[[datetime], Hashable], ...] = (
    lambda at: at.date(),
    lambda at: at.isocalendar()[:2],
    lambda at: (at.year, at.month),
)


def superfluous(backups: Iterable[Name], keep: Keep) -> list[Name]:
    """The backups of one organisation that need not be kept, the oldest first; never the newest."""
    newest_first = sorted(backups, key=lambda it: it.made_at, reverse=True)
    kept = {it.name for it in newest_first[:1]}
    for period, count in zip(_PERIODS, keep, strict=True):
        seen: set[Hashable] = set()
        for it in newest_first:
            if (within := period(it.made_at)) not in seen and len(seen) < count:
                seen.add(within)
                kept.add(it.name)
    return [it for it in reversed(newest_first) if it.name not in kept]
