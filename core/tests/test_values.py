"""Days, moments and money as agents write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sixty.values import Arguments, Day, Moment, Money, shown

BERLIN = ZoneInfo("Europe/Berlin")
LATE = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)  # the 1st of February in Berlin


class Given(Arguments):
    day: Day | None = None
    at: Moment | None = None
    money: Money | None = None


def parse(**arguments: Any) -> Given:
    return Given.model_validate(arguments, context={"now": LATE, "timezone": BERLIN})


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("today", date(2026, 2, 1)),
        ("tomorrow", date(2026, 2, 2)),
        ("yesterday", date(2026, 1, 31)),
        ("+3_days", date(2026, 2, 4)),
        ("+1_day", date(2026, 2, 2)),
        ("-2_weeks", date(2026, 1, 18)),
        ("+1_month", date(2026, 3, 1)),
        ("-13_months", date(2025, 1, 1)),
        ("2027-03-31", date(2027, 3, 31)),
    ],
)
def test_a_day_is_one_of_the_organisations_time_zone(word: str, day: date) -> None:
    assert parse(day=word).day == day


@pytest.mark.parametrize(
    "word",
    ["", "2026-02-30", "31.03.2027", "next week", "+3 days", "+99999_months", "-99999_months", 20260331, None, True],
)
def test_what_is_no_day_is_refused(word: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(word, context={"now": LATE, "timezone": BERLIN})


def test_a_month_later_is_the_last_day_of_a_shorter_month() -> None:
    context = {"now": datetime(2028, 1, 31, 12, tzinfo=UTC), "timezone": ZoneInfo("UTC")}
    assert Given.model_validate({"day": "+1_month"}, context=context).day == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-31T14:00:00+02:00", datetime(2026, 3, 31, 12, tzinfo=UTC)),
        ("2026-03-31T14:00:00Z", datetime(2026, 3, 31, 14, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 2, 1, 23, 30, tzinfo=UTC)),
        ("+2_days", datetime(2026, 2, 2, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_utc_inside(text: str, moment: datetime) -> None:
    assert parse(at=text).at == moment


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-31T14:00:00", "now", "14:00", 1767225600, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_a_moment_without_an_offset_or_beyond_the_calendar_is_refused(text: Any) -> None:
    with pytest.raises(ValidationError):
        parse(at=text)


@given(st.integers(-(10**12), 10**12))
def test_money_is_exact_to_the_cent(cents: int) -> None:
    amount = parse(money=cents / 100).money
    assert amount == Decimal(cents) / 100
    assert shown(amount) == cents / 100


@pytest.mark.parametrize("value", [0.001, "5", True, None, float("inf"), [], 1e-300])
def test_what_is_no_money_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Money).validate_python(value)


def test_values_are_shown_as_json_has_them() -> None:
    assert shown(Decimal("50000.00")) == 50_000
    assert isinstance(shown(Decimal("50000.00")), int)
    assert shown(date(2026, 3, 2)) == "2026-03-02"
    assert shown(LATE) == "2026-01-31T23:30:00+00:00"
    assert shown("text") == "text"
