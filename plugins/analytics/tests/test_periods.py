"""Calendar periods."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sixty import Invalid
from sixty_analytics.periods import UNITS, Unit, containing, period, periods_within


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-07", date(2026, 7, 1), date(2026, 7, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-Q3", date(2026, 7, 1), date(2026, 9, 30)),
        ("2026-q4", date(2026, 10, 1), date(2026, 12, 31)),
        (" 2026 ", date(2026, 1, 1), date(2026, 12, 31)),
        ("9999", date(9999, 1, 1), date(9999, 12, 31)),
    ],
)
def test_a_period_is_known_by_its_name(name: str, first: date, last: date) -> None:
    found = period(name)
    assert (found.first, found.last) == (first, last)
    assert found.name == name.strip().upper()


@pytest.mark.parametrize("name", ["", "2026-13", "2026-Q5", "2026-Q", "Q3", "26", "0000", "0000-01", "2026-7", "soon"])
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="2026-Q3 for a quarter"):
        period(name)


@given(unit=st.sampled_from(UNITS), day=st.dates())
def test_each_day_lies_in_one_period_of_each_unit(unit: Unit, day: date) -> None:
    found = containing(unit, day)
    assert found.first <= day <= found.last
    assert period(found.name) == found
    assert containing(unit, found.first) == containing(unit, found.last) == found


@given(unit=st.sampled_from(UNITS), first=st.dates(), days=st.integers(0, 1200))
@example(unit="month", first=date(9999, 10, 2), days=1000)
def test_the_periods_within_a_window_are_those_that_lie_in_it_whole(unit: Unit, first: date, days: int) -> None:
    last = first + min(timedelta(days=days), date.max - first)
    found = periods_within(unit, first, last)
    every = {containing(unit, date.fromordinal(day)) for day in range(first.toordinal(), last.toordinal() + 1)}
    assert found == sorted(each for each in every if first <= each.first and each.last <= last)
