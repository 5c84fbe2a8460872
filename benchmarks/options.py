"""What whoever runs the benchmark may choose."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """The part that is run, and how large it is. Which part looks at what, `--help` says."""

    part: str
    rounds: int
    seconds: float
    deals: int
    peers_only: bool
    packs: int
    clients: int
    cycles: int
    sizes: list[int]
    calls: int

    @classmethod
    def parse(cls, parts: Sequence[str], about: str | None) -> Options:
        """The options of the command line."""
        parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
        parser.add_argument("part", nargs="?", choices=parts, default=parts[0], help="what is run (%(default)s)")
        parser.add_argument("--rounds", type=int, default=5, help="how many turns each subject has (%(default)s)")
        parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn is (%(default)s)")
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
        return cls(**vars(parser.parse_args()))
