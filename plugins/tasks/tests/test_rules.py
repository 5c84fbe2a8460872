"""The rules by themselves, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty import Conflict, Invalid
from sixty_tasks.rules import (
    LONGEST,
    PRIORITIES,
    Priority,
    Standing,
    Status,
    cut,
    due_by_priority,
    named,
    next_working_day,
)

MORNING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = (date(2026, 3, day) for day in (2, 5, 6, 7, 8))
DONE = Standing("completed", MORNING, "Signed")
CANCELLED = Standing("cancelled", None, "No longer wanted")

days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


# -- names


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("Call Ann", "Call Ann"),
        ("  \n Call Ann \n about the license", "Call Ann"),
        ("Call Ann. Ask for the signature.", "Call Ann. Ask for the signature."),
        ("Call Ann Ashton. Ask for the signature.", "Call Ann Ashton."),
        ("Is Dr. May in? Ask e.g. Mr. Lee today! Or later", "Is Dr. May in? Ask e.g. Mr. Lee today!"),
        ("Send v2.1 now", "Send v2.1 now"),
        ("اتصل بآنا", "اتصل بآنا"),
        ("🎉", "🎉"),
    ],
)
def test_a_title_is_the_first_sentence_of_the_first_line(description: str, title: str) -> None:
    assert named(None, description) == (title, description)


def test_a_description_is_the_title_where_there_is_no_other() -> None:
    assert named("Call Ann", None) == named("Call Ann", " \n") == ("Call Ann", "Call Ann")
    assert named("Call Ann", "About the license") == ("Call Ann", "About the license")


@pytest.mark.parametrize("description", [None, "", " \t\n"])
def test_a_task_without_a_word_is_refused(description: str | None) -> None:
    with pytest.raises(Invalid, match="a title or a description"):
        named(None, description)


def test_a_long_text_is_cut_behind_a_word() -> None:
    assert cut("word " * 100) == "word " * 50 + "word…"
    assert cut("x" * 300) == "x" * 254 + "…"
    assert cut("one two", 7) == "one two"
    assert cut("one two", 6) == "one t…"


@given(st.text(max_size=600), st.integers(2, 300))
def test_what_was_cut_is_short_and_begins_as_before(text: str, longest: int) -> None:
    short = cut(text, longest)
    assert len(short) <= longest
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(st.text(max_size=600))
def test_every_description_that_says_something_gives_a_title(description: str) -> None:
    try:
        title, kept = named(None, description)
    except Invalid:
        assert not description.strip()
        return
    assert kept == description
    assert 1 <= len(title) <= LONGEST
    assert title == title.strip()


# -- due dates


@pytest.mark.parametrize(
    ("priority", "today", "due"),
    [
        ("urgent", MONDAY, MONDAY),
        ("urgent", SATURDAY, SATURDAY),
        ("urgent", SUNDAY, SUNDAY),
        ("high", THURSDAY, FRIDAY),
        ("high", FRIDAY, date(2026, 3, 9)),
        ("high", SATURDAY, date(2026, 3, 9)),
        ("medium", MONDAY, THURSDAY),
        ("medium", FRIDAY, date(2026, 3, 11)),
        ("low", MONDAY, date(2026, 3, 11)),
        ("low", SUNDAY, date(2026, 3, 17)),
    ],
)
def test_a_priority_gives_so_many_working_days(priority: Priority, today: date, due: date) -> None:
    assert due_by_priority(priority, today) == due


@given(st.sampled_from(PRIORITIES), days)
def test_what_is_more_urgent_is_never_due_later_and_only_urgent_on_a_weekend(priority: Priority, today: date) -> None:
    due = due_by_priority(priority, today)
    assert due >= today
    assert priority == "urgent" or due.weekday() < 5
    assert all(due_by_priority(other, today) <= due for other in PRIORITIES[PRIORITIES.index(priority) :])


@given(days)
def test_the_next_working_day_is_at_most_three_days_on(today: date) -> None:
    assert timedelta(0) < next_working_day(today) - today <= timedelta(days=3)
    assert next_working_day(today).weekday() < 5


# -- how it ends


def test_an_open_task_is_completed_or_cancelled_with_an_outcome() -> None:
    assert Standing().moved("completed", MORNING, "Signed") == DONE
    assert Standing().moved("cancelled", MORNING, "No longer wanted") == CANCELLED


@pytest.mark.parametrize("standing", [Standing(), DONE, CANCELLED])
def test_the_status_that_it_has_changes_nothing(standing: Standing) -> None:
    assert standing.moved(standing.status, MORNING + timedelta(days=1), "Another") == standing


@pytest.mark.parametrize("standing", [DONE, CANCELLED])
def test_reopening_forgets_how_it_ended(standing: Standing) -> None:
    assert standing.moved("open", MORNING) == Standing()


@pytest.mark.parametrize(("standing", "status"), [(DONE, "cancelled"), (CANCELLED, "completed")])
def test_completed_and_cancelled_contradict_each_other(standing: Standing, status: Status) -> None:
    with pytest.raises(Conflict, match=f"the task is {standing.status}, so it cannot become {status}"):
        standing.moved(status, MORNING)


@given(st.lists(st.tuples(st.sampled_from(["open", "completed", "cancelled"]), st.none() | st.just("Signed"))))
def test_whatever_happens_only_what_is_closed_has_an_outcome(moves: list[tuple[Status, str | None]]) -> None:
    standing = Standing()
    for status, outcome in moves:
        try:
            standing = standing.moved(status, MORNING, outcome)
        except Conflict:
            continue
        assert standing.status == status
        assert (standing.completed_at is not None) == (status == "completed")
        assert standing.outcome is None or status != "open"
