"""What whoever runs the benchmark may choose."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Options"]

QUICK = 8.0
"""Seconds that a quick load is measured."""


@dataclass(frozen=True)
class Options:
    """The part that is run, and how large it is. Which part looks at what, `--help` says."""

    part: str
    rounds: int
    seconds: float
    """How long a turn is; of the load, how long it is measured."""
    deals: int
    peers_only: bool
    packs: int
    clients: int
    cycles: int
    sizes: list[int]
    calls: int
    replicas: int
    rate: float | None
    database: str | None
    redis: bool
    nginx: bool
    soak: float | None
    charts: Path | None
    quick: bool

    @classmethod
    def parse(cls, parts: Sequence[str], about: str | None) -> Options:
        """The options of the command line."""
        parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
        parser.add_argument("part", nargs="?", choices=parts, default=parts[0], help="what is run (%(default)s)")
        parser.add_argument("--rounds", type=int, default=5, help="how many turns each subject has (%(default)s)")
        parser.add_argument("--seconds", type=float, help="how long a turn is (2, and the load 60)")
        calls = parser.add_argument_group("calls")
        calls.add_argument("--deals", type=int, default=10_000, help="how many deals to search in (%(default)s)")
        calls.add_argument("--peers-only", action="store_true", help="leave Sixty out")
        lists = parser.add_argument_group("lists")
        lists.add_argument("--packs", type=int, default=100, help="how many packs of ten tools (%(default)s)")
        listeners = parser.add_argument_group("listeners")
        listeners.add_argument("--clients", type=int, default=1000, help="how many clients listen (%(default)s)")
        cycles = parser.add_argument_group("cycles")
        cycles.add_argument("--cycles", type=int, default=200, help="how often a pack comes and goes (%(default)s)")
        scale = parser.add_argument_group("scale")
        sizes = [10_000, 100_000, 1_000_000]
        scale.add_argument("--sizes", type=int, nargs="+", default=sizes, help="how many deals, one after another")
        scale.add_argument("--calls", type=int, default=40, help="how often each question is asked (%(default)s)")
        load = parser.add_argument_group("load")
        load.add_argument("--replicas", type=int, default=2, help="how many servers there are (%(default)s)")
        load.add_argument(
            "--rate", type=float, help="arrivals a second; unless given, 70 %% of what is found to be most"
        )
        load.add_argument("--database", choices=("sqlite", "postgres"), help="where; unless given, on both in turn")
        load.add_argument("--redis", action="store_true", help="limits are counted in a Redis")
        load.add_argument("--nginx", action="store_true", help="requests go through an nginx")
        load.add_argument("--soak", type=duration, help="whether the servers grow within so long, such as 30m or 300s")
        load.add_argument("--charts", type=Path, help="the folder in which charts of the dashboard are drawn")
        load.add_argument("--quick", action="store_true", help="all of it in a minute or two, to see that it works")
        chosen = parser.parse_args()
        if chosen.seconds is None:
            chosen.seconds = 2.0 if chosen.part != "load" else QUICK if chosen.quick else 60.0
        return cls(**vars(chosen))


def duration(text: str) -> float:
    """Seconds, of a number that may end in s, m or h."""
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text.rstrip("smh")) * units.get(text[-1:], 1)
