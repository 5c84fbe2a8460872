"""What an organisation's own closed deals say: the share of each stage that was won, and how sure that is.

No database and no protocol here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import sqrt
from statistics import NormalDist, mean
from typing import TYPE_CHECKING

from sixty_deals.rules import STAGES, Window, first_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sixty_deals.rules import Period, Stage

__all__ = ["ENOUGH", "LEVEL", "PERIODS", "Error", "Share", "completed", "error_of", "interval", "shares", "weights_of"]

ENOUGH = 30
"""Closed deals that it takes."""
LEVEL = 0.8
"""The share of cases in which an interval should hold what comes."""
PERIODS: Mapping[Period, int] = {"month": 6, "quarter": 4, "year": 2}
"""How many completed periods are looked back on."""

_CENT = Decimal("0.01")
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Share:
    """How many closed deals were ever in a stage, and how many of these were won."""

    closed: int
    won: int

    @property
    def weight(self) -> Decimal:
        """The share that was won. There must be closed deals."""
        return Decimal(self.won) / Decimal(self.closed)

    @property
    def bounds(self) -> tuple[float, float]:
        """The Wilson score interval of the share (Wilson 1927): the shares that what was seen does not contradict."""
        count, share = self.closed, self.won / self.closed
        middle = share + _Z**2 / (2 * count)
        spread = _Z * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
        scale = 1 + _Z**2 / count
        # of all or none the share is a bound itself, which division could miss by a hair
        return max(0.0, min(share, (middle - spread) / scale)), min(1.0, max(share, (middle + spread) / scale))

    @property
    def deviation(self) -> float:
        """How far the share that lies behind may be off: the standard deviation of Beta(won + 1, lost + 1)."""
        likely = (self.won + 1) / (self.closed + 2)
        return sqrt(likely * (1 - likely) / (self.closed + 3))


def shares(paths: Iterable[tuple[str, str, int]]) -> dict[Stage, Share]:
    """The share of each stage, from the paths of closed deals: path, status, and how many went so."""
    closed, won = dict.fromkeys(STAGES, 0), dict.fromkeys(STAGES, 0)
    for path, status, deals in paths:
        for stage in STAGES:
            if stage in path.split():
                closed[stage] += deals
                won[stage] += deals if status == "won" else 0
    return {stage: Share(closed[stage], won[stage]) for stage in STAGES}


def weights_of(known: Mapping[Stage, Share]) -> dict[Stage, Decimal]:
    """The weight of each stage; 0 for one that no closed deal was in."""
    return {stage: share.weight if share.closed else Decimal(0) for stage, share in known.items()}


def interval(
    sums: Mapping[Stage, Decimal], squares: Mapping[Stage, float], known: Mapping[Stage, Share]
) -> tuple[Decimal, Decimal]:
    """What is won of these deals in 80 % of cases: sums of values, and of their squares, by stage.

    Each deal is won or not by itself with the weight p of its stage: the mean is Σ v·p and the variance Σ v²·p·(1 - p).
    The weights themselves are only estimated; since one deal tells of several stages, their errors are taken to go
    together, which is the wider case: (Σ stage sum · deviation)² is added. The normal distribution stands for the sum.
    Nothing below 0, and nothing above what all deals are worth.
    """
    expected = sum(float(sums[stage]) * float(known[stage].weight) for stage in sums)
    by_chance = sum(squares[stage] * float(known[stage].weight) * (1 - float(known[stage].weight)) for stage in sums)
    by_weight = sum(float(sums[stage]) * known[stage].deviation for stage in sums)
    spread = _Z * sqrt(by_chance + by_weight**2)
    most = float(sum(sums.values()))
    return _cents(max(0.0, expected - spread)), _cents(min(most, expected + spread))


def completed(period: Period, today: date) -> list[Window]:
    """The latest calendar periods that were over before today, oldest first."""
    before: list[Window] = []
    first = first_day(period, today)
    for _ in range(PERIODS[period]):
        last = first - timedelta(days=1)
        first = first_day(period, last)
        before.append(Window(first, last))
    return before[::-1]


@dataclass(frozen=True, slots=True)
class Error:
    """How far predictions were off: on average whichever way, and on average with sign; positive is too much."""

    mean_error: Decimal
    bias: Decimal


def error_of(predicted: Sequence[Decimal], actual: Sequence[Decimal]) -> Error:
    """How far these were off. There must be some."""
    off = [said - came for said, came in zip(predicted, actual, strict=True)]
    return Error(_cents(mean(map(abs, off))), _cents(mean(off)))


def _cents(amount: Decimal | float) -> Decimal:
    return Decimal(amount).quantize(_CENT, ROUND_HALF_EVEN)
