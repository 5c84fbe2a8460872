"""A process of its own that does errands: it says which one it has begun, and never ends with one called `endless`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from fakes import errands
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty import Work


async def begin(work: Work) -> None:
    print(work.id, flush=True)  # noqa: T201 - it tells the test
    await asyncio.Event().wait()


async def labour(url: str) -> None:
    errands.STATE.does["endless"] = begin
    async with open_organisation(url, [("errands", errands)]) as organisation, organisation.host.working():
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(labour(sys.argv[1]))
