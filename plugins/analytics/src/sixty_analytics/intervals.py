"""Rates, with how sure they are."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

__all__ = ["CONFIDENCE", "PLACES", "Rate", "rate"]

CONFIDENCE = 0.95
PLACES = 4
"""To which rates are rounded."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Rate(NamedTuple):
    """A rate and the bounds of its interval; all None without a single trial."""

    rate: float | None = None
    low: float | None = None
    high: float | None = None


def rate(successes: int, trials: int) -> Rate:
    """The share of successes with its 95 % Wilson score interval, each rounded once.

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), of E. B. Wilson, "Probable inference, the law of succession, and
    statistical inference", Journal of the American Statistical Association 22 (1927). It holds for few trials and for
    rates near 0 and 1, too.
    """
    if not trials:
        return Rate()
    share = successes / trials
    squared = _Z**2 / trials
    middle = share + squared / 2
    reach = _Z * sqrt(share * (1 - share) / trials + squared / (4 * trials))
    low, high = (middle - reach) / (1 + squared), (middle + reach) / (1 + squared)
    return Rate(round(share, PLACES), round(max(0.0, low), PLACES), round(min(1.0, high), PLACES))
