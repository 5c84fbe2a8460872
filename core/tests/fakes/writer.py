"""A process of its own that writes notes as fast as it can, and says which ones were acknowledged."""

from __future__ import annotations

import asyncio
import sys

from fakes import ALL
from sixty.testing import open_organisation


async def write(url: str, calls: int) -> None:
    """Eight clients add a note each time that the last one was acknowledged, `calls` times in all."""
    async with open_organisation(url, ALL) as organisation:
        user = organisation.as_role("user")

        async def client(number: int) -> None:
            for count in range(calls // 8):
                answer = await user.call("add_note", text=f"!{number} {count}", lines=["a", "b"])
                print(answer["note"]["id"], flush=True)  # noqa: T201 - it tells the test

        await asyncio.gather(*(client(number) for number in range(8)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2])))
