"""Turn by turn: each subject has several short rounds between those of the others, and the middle one counts."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import closedloop
from benchmarks.report import middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.closedloop import Outcome
    from benchmarks.report import Figure

__all__ = ["Subject", "Turns", "say"]


@dataclass(frozen=True)
class Subject:
    """What has its turn: a server's port, and the requests that it is sent over and over."""

    name: str
    port: int
    requests: Sequence[str]


@dataclass(frozen=True)
class Turns:
    """So many rounds of so many seconds, and what came of each turn, by the subject's name."""

    rounds: int
    seconds: float
    outcomes: dict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))

    def take(self, subjects: Sequence[Subject]) -> None:
        """Each subject has had its rounds."""
        for number in range(1, self.rounds + 1):
            say(f"Round {number} of {self.rounds}, {len(subjects)} turns of {self.seconds:g} s ...")
            for subject in subjects:
                self.outcomes[subject.name].append(closedloop.run(subject.port, subject.requests, seconds=self.seconds))

    def figures(self) -> list[Figure]:
        """The middle of each subject's rounds."""
        return [middle(name, rounds) for name, rounds in self.outcomes.items()]

    def failures(self) -> list[str]:
        """The first failure of each round that had one."""
        return [f"{name}: {each.failure}" for name, rounds in self.outcomes.items() for each in rounds if each.failure]


def say(what: str) -> None:
    """Tell whoever waits what is going on, without getting into the table."""
    print(what, file=sys.stderr, flush=True)
