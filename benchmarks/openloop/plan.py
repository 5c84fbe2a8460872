"""What the generator is told to do, and what it says came of it: both go through a pipe as JSON."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.openloop.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["LATE", "LISTENS", "NOTICES", "SERIAL", "Arrival", "Call", "Kind", "Outcome", "Plan", "run"]

LISTENS = "listens"
"""The kind of arrival that opens a listen stream; all others send the request and read the answer."""
NOTICES = "notices"
"""What listen streams hear of writes, counted from the moment when the write was due."""
SERIAL = "@@SERIAL@@"
"""Stands in a call for a number of ten digits that is another one each time."""
LATE = 0.005
"""Seconds by which a hundredth of all may be sent too late; beyond it the generator was what was measured."""


class Arrival(NamedTuple):
    """Somebody asks for something, so many seconds after the beginning."""

    at: float
    kind: str
    which: int
    """A number that chooses among the calls of this kind."""


@dataclass(frozen=True)
class Call:
    """A request that somebody makes."""

    token: str
    method: str
    params: dict[str, Any]
    touches: str | None = None
    """The address of the resource that it changes."""


@dataclass(frozen=True)
class Plan:
    """Who asks what, how often, and for how long."""

    ports: Sequence[int]
    """Of the replicas; each has its turn."""
    calls: Mapping[str, Sequence[Call]]
    """By kind."""
    shares: Mapping[str, float]
    """How often each kind is asked for, in any unit."""
    rate: float
    """Arrivals a second, of all kinds together."""
    seconds: float
    warm_up: float = 0.0
    """Seconds before these, in which nothing is counted."""
    sessions: float = 0.0
    """The share of calls that go through sessions of the handshake era."""
    listen_for: float = 10.0
    """Seconds for which a listen stream stays."""
    patience: float = 10.0
    """Seconds after the last arrival in which answers are waited for."""
    seed: int = 60
    serial: int = 1_000_000_000
    """The first number that stands for `SERIAL`."""

    def arrivals(self) -> Iterator[Arrival]:
        """Who comes when, the same on each run: by chance and independent of each other (a Poisson process)."""
        chance = random.Random(self.seed)
        kinds, shares = list(self.shares), list(accumulate(self.shares.values()))
        at = chance.expovariate(self.rate)
        while at < self.warm_up + self.seconds:
            yield Arrival(at, chance.choices(kinds, cum_weights=shares)[0], chance.getrandbits(30))
            at += chance.expovariate(self.rate)

    def to_json(self) -> str:
        """What `from_json` takes."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, written: str) -> Plan:
        """The plan that was written."""
        plan = json.loads(written)
        plan["calls"] = {kind: [Call(**call) for call in calls] for kind, calls in plan["calls"].items()}
        return cls(**plan)


@dataclass
class Kind:
    """What became of all arrivals of one kind."""

    sent: int = 0
    took: Histogram = field(default_factory=Histogram)
    """Of those that were served, from when they were due to the end of the answer."""
    errors: dict[str, int] = field(default_factory=dict)
    """All others, by code."""

    @property
    def failed(self) -> int:
        """How many were not served."""
        return sum(self.errors.values())


@dataclass
class Outcome:
    """What came of a plan."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    late: Histogram = field(default_factory=Histogram)
    """By how much each was sent after it was due."""
    waiting: list[int] = field(default_factory=lambda: [0, 0])
    """How many waited for their answer in the middle of the time that counts, and at its end."""
    connections: int = 0
    """The most that were open."""
    cpu: float = 0.0
    """Seconds that the generator computed in the time that counts."""
    failure: str | None = None
    """The first error, in full."""

    @property
    def is_valid(self) -> bool:
        """Whether the generator kept to its schedule, so that it is the server that was measured."""
        return self.late.percentile(99) <= LATE

    @property
    def complaint(self) -> str:
        """How many errors there were, and the first of them; nothing where there was none."""
        if not self.errors:
            return ""
        return f"{self.errors} errors, such as {self.failure or 'a stream that was not told in time'}"

    @property
    def served(self) -> int:
        """How many were served."""
        return sum(kind.took.count for name, kind in self.kinds.items() if name != NOTICES)

    @property
    def errors(self) -> int:
        """How many were not."""
        return sum(kind.failed for kind in self.kinds.values())

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        kinds = {name: {**vars(kind), "took": kind.took.to_json()} for name, kind in self.kinds.items()}
        return {**vars(self), "kinds": kinds, "late": self.late.to_json()}

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Outcome:
        """The outcome that was written."""
        kinds = {
            name: Kind(**{**kind, "took": Histogram.from_json(kind["took"])}) for name, kind in written["kinds"].items()
        }
        return cls(**{**written, "kinds": kinds, "late": Histogram.from_json(written["late"])})


def run(plan: Plan) -> Outcome:
    """Carry out a plan in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.openloop"]
    done = subprocess.run(command, input=plan.to_json(), stdout=subprocess.PIPE, text=True, check=True)
    return Outcome.from_json(json.loads(done.stdout))
