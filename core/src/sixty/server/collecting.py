"""The garbage collector of a server: it looks seldom, and never again at what is there before the first call.

By default it looks at everything every quarter of a minute under load, and nobody is served for the twentieth of a
second that this takes.
"""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]

YOUNG = 5_000
"""New objects that lead to a look at them: some milliseconds."""
YOUNG_LOOKS, MIDDLE_LOOKS = 10, 3
"""Looks at a generation for each at the next older one. What clients leave behind in cycles waits for a look at all:
seldom is once a minute under load, and not once in half an hour, in which servers grew to three times their size."""


def collect_seldom() -> None:
    """The collector is on from now on. What is loaded stays, and is not looked at."""
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_LOOKS, MIDDLE_LOOKS)
    gc.enable()
