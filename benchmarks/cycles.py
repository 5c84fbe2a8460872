"""A pack comes and goes while clients call: how long that takes, what it breaks, and what it leaves behind."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import astuple, fields
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import databases, wire
from benchmarks.closedloop import Load, carry_out
from benchmarks.copies import copies, install
from benchmarks.organisation import Organisation
from benchmarks.processes import free_port
from benchmarks.report import RESULTS, Report, Target, middle
from benchmarks.served import Weight, served
from benchmarks.turns import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from benchmarks.options import Options
    from benchmarks.served import Served

CLIENTS = 4
WARM_UP = 40  # cycles before anything is weighed
NEW_PACKS = 9  # odd, so that there is a middle one
STAYS, CYCLES = "pricing_1", "pricing_2"


def measured(options: Options) -> Report:
    """What came of it on each database."""
    return Report.joined([site(name, empty, options) for name, empty in databases.each(RESULTS)])


def site(name: str, empty: AbstractContextManager[str], options: Options) -> Report:
    """What came of it on this one."""
    with ExitStack() as stack:
        folder = stack.enter_context(copies(2))
        organisation = Organisation.at(stack.enter_context(empty), PYTHONPATH=folder)
        port = free_port()
        server = stack.enter_context(served(organisation, port))
        say(f"Enabling packs that were not there before, on {name} ...")
        new = [newcomer(server, folder, f"pricing_{number}") for number in range(3, 3 + NEW_PACKS)]
        arguments = {"value": 100_000, "probability": 40}
        requests = [
            wire.call(port, f"weigh_value_{pack.rpartition('_')[2]}", arguments, organisation.admin).encode()
            for pack in (STAYS, CYCLES)
        ]
        loads, weights = [], []
        for cycles in (WARM_UP, options.cycles - WARM_UP):
            say(f"{cycles} cycles, while {CLIENTS} clients call ...")
            load = Load(cycle(requests), counts_from=perf_counter(), ends=float("inf"), expected="tool_removed")
            asyncio.run(under(load, server, cycles))
            loads.append(load)
            weights.append(server.weigh())
            say(f"{load.refused} calls were told `tool_removed`; {weights[-1]}")
    errors = sum(load.errors for load in loads)
    targets = [
        Target(f"enabling a new pack of ten tools, ms, {name}", median(new), must=300, aim=300, upper=True),
        Target(f"failed calls but for `tool_removed`, {name}", errors, must=0, aim=0, upper=True),
        *growth(name, *weights),
    ]
    figure = middle(f"Sixty during {options.cycles} cycles, {name}", [load.outcome() for load in loads])
    return Report([figure], {}, targets, [load.failure for load in loads if load.failure], connections=CLIENTS)


def newcomer(server: Served, folder: str, name: str) -> float:
    """How many milliseconds it took to enable a pack that the server has not seen before."""
    install(folder, name)
    seconds, _ = server.enable(name)
    return seconds * 1000


async def under(load: Load, server: Served, cycles: int) -> None:
    """The pack has come and gone so many times during the load."""
    calling = asyncio.create_task(carry_out(load, server.port, CLIENTS))
    for _ in range(cycles):
        await asyncio.to_thread(server.disable, CYCLES)
        await asyncio.to_thread(server.enable, CYCLES)
    load.ends = perf_counter()
    await calling


def growth(where: str, before: Weight, after: Weight) -> Iterator[Target]:
    """By how much each has grown, in percent."""
    for field, old, new in zip(fields(Weight), astuple(before), astuple(after), strict=True):
        name = f"growth of {field.name} after the first {WARM_UP} cycles, %, {where}"
        yield Target(name, 100 * (new - old) / old, must=5, aim=5, upper=True)
