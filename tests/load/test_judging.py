"""What a load and a soak conclude from what they saw."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # benchmarks are no distribution

from benchmarks.capacity import keeps_up, most
from benchmarks.openloop.histogram import Histogram
from benchmarks.openloop.plan import Kind, Outcome
from benchmarks.soak import Look, grown
from benchmarks.usage import Size

if TYPE_CHECKING:
    from collections.abc import Callable


def outcome(seconds: float = 0.01, *, late: float = 0.0, waiting: int = 0, errors: int = 0) -> Outcome:
    """Of reads and writes that all took so long, and were sent so late."""
    took, lateness = Histogram(), Histogram()
    took.add(seconds)
    lateness.add(late)
    kinds = {"reads": Kind(1, took, {"conflict": errors} if errors else {}), "writes": Kind(1, took)}
    return Outcome(kinds=kinds, late=lateness, waiting=[0, waiting], failure="conflict: why" if errors else None)


def up_to(rate: float) -> Callable[[float], Outcome]:
    """A fleet that takes so much, and of more is slow."""
    return lambda asked: outcome(0.01 if asked <= rate else 1.0)


@pytest.mark.parametrize("rate", [30, 100, 777])
def test_the_capacity_is_found_within_a_tenth_and_never_above(rate: float) -> None:
    found = most(up_to(rate))

    assert rate / 1.1 <= found.rate <= rate
    assert not found.limited_by_generator


def test_what_the_generator_cannot_send_in_time_is_not_taken_for_what_the_fleet_can_do() -> None:
    found = most(lambda rate: outcome(late=0.0 if rate <= 100 else 0.1))

    assert 90 <= found.rate <= 100
    assert found.limited_by_generator


def test_a_late_attempt_is_made_anew_before_it_is_believed() -> None:
    attempts: list[float] = []

    def attempt(rate: float) -> Outcome:
        attempts.append(rate)
        return outcome(0.01 if rate <= 100 else 1.0, late=0.1 if len(attempts) == 1 else 0.0)

    assert most(attempt).rate > 90
    assert attempts[:2] == [attempts[0]] * 2


def test_a_fleet_that_takes_nothing_has_no_capacity() -> None:
    assert most(up_to(0)).rate == 0


@pytest.mark.parametrize(
    ("came", "why"),
    [
        (outcome(), ""),
        (outcome(0.5), "p99 of reads 500 ms"),
        (outcome(waiting=1000), "1000 wait at the end"),
        (outcome(errors=3), "3 errors, such as conflict"),
    ],
)
def test_errors_a_backlog_and_slow_answers_are_each_too_much(came: Outcome, why: str) -> None:
    assert keeps_up(came, rate=100) == why


def looks(*, leak: float) -> list[Look]:
    """At a server that holds 100 MiB and some sockets, now more and now fewer, and `leak` more of each a minute."""
    chance = random.Random(1)  # noqa: S311 - it wavers alike on each run
    return [
        Look(
            at,
            Size(100 + chance.gauss(0, 0.5) + leak * at / 60, int(15 + chance.gauss(0, 4) + leak * at / 60), 5, 40),
            12,
        )
        for at in map(float, range(0, 1800, 5))
    ]


def test_what_only_wavers_has_not_grown() -> None:
    assert set(grown(looks(leak=0)).values()) == {0.0}


def test_one_socket_and_one_mebibyte_a_minute_are_seen() -> None:
    growth = grown(looks(leak=1))

    assert growth["memory"] == pytest.approx(100 * 21 / 109, rel=0.1)
    assert growth["connections"] > 50
    assert growth["threads"] == growth["files"] == growth["database connections"] == 0
