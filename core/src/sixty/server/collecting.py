"""The garbage collector of a server: what has settled is not looked at again and again.

A look at everything stops a server for up to a tenth of a second, because of what stays anyway: what is loaded, the
statements that are compiled, and the sessions that are open. Of what is new it is a matter of milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["settling"]

EVERY = 60.0
"""Seconds after which a server settles anew, if there is much that is new."""
MUCH = 40_000
"""Objects that have survived the collector since."""


@asynccontextmanager
async def settling() -> AsyncIterator[None]:
    """What is there, and what stays of all that comes within the block, is left alone by automatic collections.

    Cycles among it that nobody needs any more are collected within `EVERY` seconds of the `MUCH` objects that come
    after them.
    """
    _settle()
    gc.enable()
    task = asyncio.create_task(_settling())
    try:
        yield
    finally:
        task.cancel()


async def _settling() -> None:
    while True:
        await asyncio.sleep(EVERY)
        if len(gc.get_objects(generation=2)) > MUCH:
            _settle()


def _settle() -> None:
    """Look at everything once, so that it need not be done soon again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
