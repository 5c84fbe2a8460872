"""The rules by themselves, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty import Conflict, Invalid
from sixty_deals.rules import STAGES, Period, Stage, Standing, Status, ltv, project, settle, spoken, window, worth

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
OPEN = Standing("opportunity")
LOST = Standing("verbal", "lost", MONDAY, "too dear")
WON = Standing("signed", "won", MONDAY)

money = st.integers(1, 10**9).map(lambda cents: Decimal(cents) / 100)
stages = st.sampled_from(STAGES)


@pytest.mark.parametrize("stage", ["sql", "opportunity", "verbal"])
def test_a_new_deal_is_open(stage: Stage) -> None:
    assert Standing.entering(stage, MONDAY) == Standing(stage, "open")


def test_a_new_deal_in_signed_is_won() -> None:
    assert Standing.entering("signed", MONDAY) == WON


def test_entering_signed_wins_an_open_deal() -> None:
    assert settle(OPEN, TUESDAY, stage="signed") == Standing("signed", "won", TUESDAY)


def test_leaving_signed_reopens_a_won_deal() -> None:
    assert settle(WON, TUESDAY, stage="sql") == Standing("sql", "open")


def test_a_lost_deal_keeps_its_stage() -> None:
    assert settle(OPEN, TUESDAY, status="lost", reason="gone quiet") == Standing(
        "opportunity", "lost", TUESDAY, "gone quiet"
    )


def test_moving_a_lost_deal_to_another_stage_reopens_it() -> None:
    assert settle(LOST, TUESDAY, stage="opportunity") == Standing("opportunity", "open")


def test_moving_a_lost_deal_to_signed_wins_it_and_forgets_why_it_was_lost() -> None:
    assert settle(LOST, TUESDAY, stage="signed") == Standing("signed", "won", TUESDAY)


@pytest.mark.parametrize("standing", [OPEN, LOST, WON])
def test_moving_to_the_stage_it_is_in_changes_nothing(standing: Standing) -> None:
    assert settle(standing, TUESDAY, stage=standing.stage) == standing


@pytest.mark.parametrize("standing", [OPEN, LOST])
def test_status_won_moves_to_signed(standing: Standing) -> None:
    assert settle(standing, TUESDAY, status="won") == Standing("signed", "won", TUESDAY)


def test_status_open_reopens_a_lost_deal_in_its_stage() -> None:
    assert settle(LOST, TUESDAY, status="open") == Standing("verbal", "open")


def test_a_deal_can_be_moved_and_lost_at_once() -> None:
    assert settle(WON, TUESDAY, stage="verbal", status="lost") == Standing("verbal", "lost", TUESDAY)


def test_losing_a_lost_deal_again_keeps_when_and_can_say_better_why() -> None:
    assert settle(LOST, TUESDAY, status="lost") == LOST
    assert settle(LOST, TUESDAY, reason="bought elsewhere") == Standing("verbal", "lost", MONDAY, "bought elsewhere")


@pytest.mark.parametrize("status", ["lost", "open"])
def test_a_deal_in_signed_is_won_and_nothing_else(status: Status) -> None:
    with pytest.raises(Conflict, match="a deal in signed is won"):
        settle(WON, TUESDAY, status=status)


@pytest.mark.parametrize(
    ("stage", "status"), [("sql", "won"), ("verbal", "won"), ("signed", "open"), ("signed", "lost")]
)
def test_a_stage_and_a_status_that_contradict_each_other_are_refused(stage: Stage, status: Status) -> None:
    with pytest.raises(Invalid, match=f"stage {stage} and status {status} contradict each other"):
        settle(OPEN, TUESDAY, stage=stage, status=status)


@pytest.mark.parametrize("standing", [OPEN, WON])
def test_only_a_lost_deal_has_a_reason_for_it(standing: Standing) -> None:
    with pytest.raises(Invalid, match="lost_reason belongs to a lost deal") as caught:
        settle(standing, TUESDAY, reason="too dear")
    assert caught.value.details["field"] == "lost_reason"


@given(
    st.lists(
        st.tuples(
            st.none() | stages,
            st.none() | st.sampled_from(["open", "won", "lost"]),
            st.none() | st.just("too dear"),
        ),
        max_size=12,
    ),
    stages,
)
def test_whatever_happens_a_deal_is_won_exactly_in_signed(
    updates: list[tuple[Stage | None, Status | None, str | None]], first: Stage
) -> None:
    standing = Standing.entering(first, MONDAY)
    for stage, status, reason in updates:
        try:
            standing = settle(standing, TUESDAY, stage=stage, status=status, reason=reason)
        except (Invalid, Conflict):
            continue
        assert status in (None, standing.status)
        assert (standing.status == "won") == (standing.stage == "signed")
        assert (standing.status == "open") == (standing.closed_at is None)
        assert standing.lost_reason is None or standing.status == "lost"


@given(st.none() | money, st.none() | money, st.none() | money)
def test_a_deal_is_worth_what_was_given_or_else_its_lifetime_value(
    value: Decimal | None, monthly: Decimal | None, once: Decimal | None
) -> None:
    lifetime = None if monthly is None and once is None else 3 * (monthly or 0) + (once or 0)
    assert ltv(monthly, once) == lifetime
    assert worth(value, monthly, once) == (lifetime if value is None else value)


@given(st.dates(date(1, 1, 1), date(9998, 12, 31)), st.sampled_from(["month", "quarter", "year"]))
def test_a_window_ends_with_the_calendar_period(today: date, period: Period) -> None:
    def of(day: date) -> object:
        return {"month": (day.year, day.month), "quarter": (day.year, (day.month - 1) // 3), "year": day.year}[period]

    span = window(period, today)
    assert span.first == today
    assert of(span.last) == of(today) != of(span.last + timedelta(days=1))


def test_a_window_may_be_a_single_day() -> None:
    assert window("quarter", date(2026, 6, 30)).last == date(2026, 6, 30)


@given(st.dictionaries(stages, money), st.fixed_dictionaries({stage: st.decimals(0, 1, places=3) for stage in STAGES}))
def test_a_projection_is_exact_and_rounded_once(sums: dict[Stage, Decimal], weights: dict[Stage, Decimal]) -> None:
    projection = project(sums, weights)
    exact = {stage: Fraction(sums.get(stage, 0)) * Fraction(weights[stage]) for stage in STAGES}
    assert projection.total == Decimal(round(sum(exact.values()) * 100)) / 100
    assert projection.by_stage == {stage: Decimal(round(amount * 100)) / 100 for stage, amount in exact.items()}


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=61), "1 minute"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=1, hours=5), "1 day"),
        (timedelta(days=90), "90 days"),
    ],
)
def test_a_time_span_is_told_in_its_largest_unit(span: timedelta, words: str) -> None:
    assert spoken(span) == words
