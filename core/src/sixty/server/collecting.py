"""The garbage collector of a server: what has settled is not looked at again and again.

A look at everything stops a server for up to a quarter of a second, because of what stays anyway: what is loaded, the
statements that are compiled, and the sessions that are open. Of what is new it is a matter of milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from sixty.server import allocating

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["settling"]

EVERY = 30.0
"""Seconds after which a server gives back what is free, and sees whether there is much that is new."""
MUCH = 40_000
"""Objects that have survived automatic collections, and make a server settle anew."""
SHARE = 0.0001
"""Of the time may go into that: whoever calls while a server settles has to wait, and a session that it settles with
waits for the next time when it has ended."""


@asynccontextmanager
async def settling() -> AsyncIterator[None]:
    """What is there, and what stays of all that comes within the block, is left alone by automatic collections.

    Cycles among it that nobody needs any more wait until there is much that is new. Free memory is given back.
    """
    allocating.share()
    _settle()
    gc.enable()
    task = asyncio.create_task(_settling())
    try:
        yield
    finally:
        task.cancel()


async def _settling() -> None:
    due = 0.0
    while True:
        await asyncio.sleep(EVERY)
        if perf_counter() >= due and len(gc.get_objects(generation=2)) > MUCH:
            due = perf_counter() + _settle() / SHARE
        allocating.give_back()


def _settle() -> float:
    """Look at everything once, so that it need not be done soon again. Returns the seconds that this took."""
    began = perf_counter()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return perf_counter() - began
