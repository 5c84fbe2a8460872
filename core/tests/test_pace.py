"""A pace: how long somebody waits who wants something again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty import pace
from sixty.pace import LEAST, MOST, Pace


def kept(wanted: list[float]) -> list[float]:
    """When it was done that was wanted at these moments."""
    now = 1_000.0
    times: list[float] = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(pace, "monotonic", lambda: now)
        one = Pace()
        for moment in wanted:
            if times and moment <= times[-1]:
                continue  # it was wanted before it was done, and so was done for this, too
            now = moment
            now += one.wait()
            one.done()
            times.append(now)
    return times


def test_after_a_rest_it_is_done_at_once_and_then_ever_later() -> None:
    times = kept([1_000 + number / 1_000 for number in range(2_000)])
    gaps = [round(after - before, 2) for before, after in pairwise(times)]
    assert gaps[:6] == [0.02, 0.04, 0.08, 0.16, 0.25, 0.25]
    assert kept([1_000.0, 1_001.0, 1_002.0]) == [1_000.0, 1_001.0, 1_002.0]


@given(st.lists(st.floats(1_000, 1_010), min_size=1).map(sorted))
def test_nobody_waits_longer_than_the_most_and_it_is_never_done_twice_in_less_than_the_least(
    wanted: list[float],
) -> None:
    times = kept(wanted)
    assert all(any(moment <= time <= moment + MOST + 1e-6 for time in times) for moment in wanted)
    assert all(after - before >= LEAST - 1e-6 for before, after in pairwise(times))
