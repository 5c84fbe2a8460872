"""The most arrivals a second that a fleet keeps up with: found by trying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.turns import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.openloop.plan import Outcome

__all__ = ["BOUND", "Capacity", "keeps_up", "most"]

BOUND = 0.1
"""Seconds that the 99th percentile of reads and of writes may take. By Little's law no more than this many seconds'
arrivals wait at a time where that holds; where more do at the end, the backlog grows."""
FIRST = 40.0
LEAST = 5.0
AGAIN = 2
CLOSE_ENOUGH = 1.08


@dataclass(frozen=True)
class Capacity:
    """What was found, and what was tried."""

    rate: float
    tried: dict[float, str]
    """By rate, why it was too much, or nothing."""
    limited_by_generator: bool
    """Whether the fleet may take more, and the generator could not send it in time."""


def keeps_up(outcome: Outcome, rate: float) -> str:
    """Why the fleet does not keep up with this rate, in a few words; nothing if it does."""
    if outcome.errors:
        return outcome.complaint.partition(":")[0]
    if outcome.waiting[1] > max(rate * BOUND, 2 * outcome.waiting[0], 10):
        return f"{outcome.waiting[1]} wait at the end"
    for name in ("reads", "writes"):
        if (taken := outcome.kinds[name].took.percentile(99)) > BOUND:
            return f"p99 of {name} {taken * 1000:.0f} ms"
    return ""


def most(attempt: Callable[[float], Outcome]) -> Capacity:
    """The capacity: doubled until it is too much, and then halfway between until that is close enough."""
    tried: dict[float, str] = {}
    low = high = 0.0
    rate, on_time = FIRST, True
    while not high or (high > LEAST and high / max(low, 1.0) > CLOSE_ENOUGH):
        outcome = attempt(rate)
        for _ in range(AGAIN):  # a machine that was busy with something else, and not the load, is no bound
            outcome = outcome if outcome.is_valid else attempt(rate)
        tried[rate] = too_much = keeps_up(outcome, rate)
        late = outcome.late.percentile(99) * 1000
        say(f"{rate:,.0f} a second: {too_much or 'kept up'}; sent late by {late:.1f} ms (p99)")
        if too_much or not outcome.is_valid:
            high, on_time = rate, outcome.is_valid
        else:
            low = rate
        rate = (low * high) ** 0.5 if low and high else high / 2 if high else low * 2
    return Capacity(low, tried, limited_by_generator=not on_time)
