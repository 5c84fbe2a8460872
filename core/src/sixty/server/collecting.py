"""The garbage collector of a server: it looks at the young in larger lots, and never again at what is loaded."""

from __future__ import annotations

import gc

__all__ = ["collect_in_lots"]

YOUNG = 5_000
"""New objects that lead to a look at them: some milliseconds."""
YOUNG_LOOKS, MIDDLE_LOOKS = 5, 3
"""Looks at a generation for each at the next older one: all that is not loaded is looked at as often as by Python's own
numbers, because clients that come and go leave cycles behind. With a look each half an hour servers tripled in size.
"""


def collect_in_lots() -> None:
    """The collector is on from now on. What is loaded stays, and is not looked at."""
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_LOOKS, MIDDLE_LOOKS)
    gc.enable()
