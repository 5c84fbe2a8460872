"""The soak: hours in minutes. A moderate load, clients that come and go, packs that do, and servers that may not grow.

Each server is looked at again and again from outside, and a line is laid through what it took up after the warm-up.
How many connections there are wavers with who is there: what rises by less than it wavers has not grown.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from statistics import linear_regression, pstdev
from time import monotonic, sleep
from typing import TYPE_CHECKING

from benchmarks import databases
from benchmarks.churn import churning
from benchmarks.copies import copies
from benchmarks.openloop.plan import run
from benchmarks.organisation import SIXTY
from benchmarks.processes import environment
from benchmarks.report import Target, columns
from benchmarks.shortlived import IDLE
from benchmarks.turns import say
from benchmarks.usage import Size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from rich.table import Table

    from benchmarks.load import Plans
    from benchmarks.openloop.plan import Outcome
    from benchmarks.options import Options
    from benchmarks.replicas import Fleet

__all__ = ["Look", "Soaked", "grown", "prepared", "soaked"]

RATE = 40.0
"""Arrivals a second, unless another rate is asked for."""
EVERY = 5.0
"""Seconds between two looks, or less, where the soak is short."""
LOOKS = 100
"""The least number of looks."""
WARM_UP = 0.3
"""The share of the time that is not judged."""
GROWTH = 5.0
"""Percent that anything may grow by."""
SESSION_SHARE = 0.1
"""The share of the time after which a forgotten session ends: well within the warm-up."""
LEAST_IDLE, MOST_IDLE = 60.0, 600.0
"""Seconds after which it does at the least, so that the load's own are not forgotten, and at the most, as for real."""
BURST, BURST_SECONDS = 6, 8.0
"""How many times the rate the load begins with, and for how long: so that every pool is as full as it will ever be."""
SWAP = 15.0
"""Seconds between two swaps of a pack."""
PACK = "pricing_1"


@dataclass(frozen=True)
class Look:
    """What a server took up at a moment, in seconds from the beginning."""

    at: float
    size: Size
    database_connections: int
    """Of all servers together; 0 on SQLite."""


@dataclass(frozen=True)
class Soaked:
    """What came of it."""

    database: str
    seconds: float
    rate: float
    looks: Sequence[Sequence[Look]]
    """Of each server."""
    served: int
    complaint: str
    """What was not served, if anything."""
    growth: dict[str, float]
    """In percent, by what has grown."""

    @property
    def targets(self) -> Iterator[Target]:
        """What was to be reached."""
        for name, percent in self.growth.items():
            yield Target(f"growth of {name}, %, {self.database}", percent, GROWTH, 0, upper=True)

    @property
    def failures(self) -> Iterator[str]:
        """What may not be."""
        if self.complaint:
            yield f"{self.database}: {self.complaint}"
        for name, percent in self.growth.items():
            if percent > GROWTH:
                yield f"{self.database}: {name} grew by {percent:.1f} %"

    def tables(self) -> Iterator[Table]:
        """How each server grew, to read: every tenth of the time."""
        for number, looks in enumerate(self.looks, 1):
            table = columns(f"{self.database}, server {number}", *(field.name for field in fields(Size)), "database")
            for look in looks[:: max(1, len(looks) // 10)]:
                size = look.size
                shown = (f"{size.memory:.1f}", *map(str, (size.connections, size.threads, size.files)))
                table.add_row(f"after {look.at:.0f} s", *shown, str(look.database_connections))
            yield table


def prepared(seconds: float, stack: ExitStack) -> tuple[Sequence[str], dict[str, str]]:
    """The program that serves during a soak, and what it needs: sessions end early, and a pack can come and go."""
    idle = min(MOST_IDLE, max(LEAST_IDLE, seconds * SESSION_SHARE))
    program = [sys.executable, "-m", "benchmarks.shortlived"]
    return program, {IDLE: str(idle), "PYTHONPATH": f"{stack.enter_context(copies(1))}:."}


def soaked(servers: Fleet, plans: Plans, options: Options) -> Soaked:
    """What came of a soak of this fleet."""
    assert options.soak is not None
    rate = options.rate or RATE
    staff = servers.staff
    say(f"{rate:,.0f} a second, and clients that come and go, for {options.soak:g} s ...")
    run(replace(plans.plan(rate * BURST, BURST_SECONDS), patience=60.0))
    with churning(servers.ports, [staff.admin, *staff.managers]), ThreadPoolExecutor(1) as beside:
        load = beside.submit(run, plans.plan(rate, options.soak))
        looks = list(zip(*watched(servers, options.soak), strict=True))
        outcome: Outcome = load.result()
    return Soaked(
        servers.database,
        options.soak,
        rate,
        looks,
        outcome.served,
        outcome.complaint,
        {
            f"{name} of server {number}": percent
            for number, each in enumerate(looks, 1)
            for name, percent in grown(each).items()
        },
    )


def watched(servers: Fleet, seconds: float) -> Iterator[list[Look]]:
    """One look at each server after the other, while a pack comes and goes."""
    began = swapped = monotonic()
    verb, pause = "disable", min(EVERY, seconds / LOOKS)
    while (at := monotonic() - began) < seconds:
        of_database = databases.connections(servers.address) if servers.postmaster else 0
        yield [Look(at, size, of_database) for size in servers.sizes()]
        if monotonic() - swapped > SWAP:
            swap(servers, verb)
            verb, swapped = ("enable" if verb == "disable" else "disable"), monotonic()
        sleep(max(0.0, began + at + pause - monotonic()))


def swap(servers: Fleet, verb: str) -> None:
    """The pack comes or goes, on every server."""
    command = [SIXTY, "plugins", verb, PACK]
    subprocess.run(command, env=environment(servers.organisation.settings), stdout=subprocess.DEVNULL, check=True)


def grown(looks: Sequence[Look]) -> dict[str, float]:
    """By how many percent each thing has risen since the warm-up; 0 where that is less than it wavers by."""
    judged = looks[int(len(looks) * WARM_UP) :]
    moments = [look.at for look in judged]
    taken = [{**asdict(look.size), "database connections": look.database_connections} for look in judged]
    return {name: risen(moments, [one[name] for one in taken]) for name in taken[0]}


def risen(moments: Sequence[float], values: Sequence[float]) -> float:
    """By how many percent the line through the values rises, if by more than their standard deviation from it."""
    slope, start = linear_regression(moments, values)
    rise = slope * (moments[-1] - moments[0])
    wavering = pstdev(value - slope * moment - start for moment, value in zip(moments, values, strict=True))
    return 100 * rise / max(start + slope * moments[0], 1) if abs(rise) > wavering else 0.0
