"""Carries out the plan on its standard input and prints what came of it, as JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from contextlib import suppress

from uvloop import new_event_loop

from benchmarks.openloop.driver import Driver
from benchmarks.openloop.plan import Plan


async def main() -> None:
    """The outcome is on the standard output."""
    outcome = await Driver(Plan.from_json(sys.stdin.read())).run()
    print(json.dumps(outcome.to_json()))


if __name__ == "__main__":
    with suppress(PermissionError):  # it computes little, and whoever shares its core must not make it late
        os.nice(-10)
    gc.disable()  # it lives for one plan only, and a collection would make it late
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
