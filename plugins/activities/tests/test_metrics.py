"""Counting activities: by type, owner, week and status, and what is left out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import Invalid, NotFound
from sixty_activities.rules import mondays, week_of

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
NUMBERS = count()
GENTLY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def log(who: Client, kind: str = "call", **given: Any) -> None:
    await who.call("create_activity", type=kind, description="it", **given)


def groups(answer: dict[str, Any]) -> dict[str, tuple[int, int | None]]:
    return {metric["group"]: (metric["count"], metric.get("minutes")) for metric in answer["metrics"]}


async def by_owner(who: Client) -> dict[str, Any]:
    return await who.call("get_activity_metrics", group_by="owner")


async def test_by_type_counts_what_was_held_and_its_minutes(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await log(user, duration_minutes=15)
    await log(user, duration_minutes=30)
    await log(user)
    await log(user, "email")
    await log(user, "meeting", scheduled_at="2026-03-02T08:00:00+00:00")
    cancelled = await user.call("create_activity", type="task", description="it", scheduled_at="today")
    await user.call("complete_activity", activity_id=cancelled["activity_id"], status="cancelled")
    answer = await user.call("get_activity_metrics")
    assert answer["metrics"] == [{"group": "call", "count": 3, "minutes": 45}, {"group": "email", "count": 1}]
    assert answer["totals"] == {"count": 4, "minutes": 45}
    assert answer["message"] == "4 activities from 2026-02-01 to 2026-03-02 (UTC), in 2 groups"
    assert answer["definition"] == {
        "window": {"from": "2026-02-01", "to": "2026-03-02"},
        "timezone": "UTC",
        "date_field": "completed_at, or scheduled_at of what is not completed",
        "counted": ["completed"],
        "left_out": {"scheduled": 1, "cancelled": 1, "no_duration": 2},
    }
    assert "insufficient_data" not in answer


async def test_by_status_counts_all_of_them(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for _ in range(2):
        await log(user, scheduled_at="today")
    await log(user, duration_minutes=5)
    answer = await user.call("get_activity_metrics", group_by="status")
    assert groups(answer) == {"scheduled": (2, None), "completed": (1, 5)}
    assert answer["definition"]["counted"] == ["scheduled", "completed", "cancelled"]
    assert answer["definition"]["left_out"] == {"scheduled": 0, "cancelled": 0, "no_duration": 2}


async def test_by_owner_names_them_and_keeps_to_what_one_may_read(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    for who, times in ((user, 3), (manager, 2), (stranger, 1)):
        for _ in range(times):
            await log(who)
    named = [(metric["name"], metric["count"]) for metric in (await by_owner(admin))["metrics"]]
    assert named == [("Uma User", 3), ("Max Manager", 2), ("Sam Stranger", 1)]
    assert groups(await by_owner(manager)) == {user.user_id: (3, None), manager.user_id: (2, None)}
    assert groups(await by_owner(user)) == {user.user_id: (3, None)}
    only = await admin.call("get_activity_metrics", owner_id=stranger.user_id)
    assert only["totals"] == {"count": 1}
    with pytest.raises(NotFound, match="owner_id: there is no user"):
        await admin.call("get_activity_metrics", owner_id=NOBODY)


async def test_nothing_counted_is_said_and_is_no_zero(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    answer = await user.call("get_activity_metrics", group_by="week")
    nothing = "There is no activity that you can see from 2026-02-01 to 2026-03-02 (UTC)"
    assert answer["message"] == answer["insufficient_data"] == nothing
    assert (answer["metrics"], answer["totals"]) == ([], {"count": 0})
    await log(user, scheduled_at="today")
    answer = await user.call("get_activity_metrics")
    assert answer["insufficient_data"] == (
        "No activity that you can see was completed from 2026-02-01 to 2026-03-02 (UTC); 1 scheduled there"
    )


@pytest.mark.parametrize(
    ("given_days", "window"),
    [
        ({"start": "2026-02-20"}, ("2026-02-20", "2026-03-02")),
        ({"end": "2026-02-20"}, ("2026-01-22", "2026-02-20")),
        ({"start": "today", "end": "+1_days"}, ("2026-03-02", "2026-03-03")),
        ({"end": "0001-01-05"}, ("0001-01-01", "0001-01-05")),
        ({"start": "0001-01-01", "end": "9999-12-31"}, ("0001-01-01", "9999-12-31")),
    ],
)
async def test_the_window_is_what_is_given_or_the_last_thirty_days(
    sixty: Organisation, given_days: dict[str, str], window: tuple[str, str]
) -> None:
    answer = await sixty.as_role("user").call("get_activity_metrics", **given_days)
    assert tuple(answer["definition"]["window"].values()) == window


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"start": "2026-03-02", "end": "2026-03-01"}, "start must not be after end: 2026-03-02 is after 2026-03-01"),
        ({"start": "tomorrow"}, "2026-03-02, which is today; give an end, too"),
        ({"group_by": "week", "start": "2024-01-01", "end": "2026-03-01"}, "may be 105 weeks apart"),
        ({"group_by": "day"}, "'type', 'owner', 'week' or 'status'"),
        ({"start": "soon"}, "must be a day"),
    ],
)
async def test_a_bad_window_is_refused(sixty: Organisation, arguments: dict[str, str], rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        await sixty.as_role("user").call("get_activity_metrics", **arguments)


async def test_the_longest_window_by_week_is_served_at_the_end_of_time(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await log(user, scheduled_at="9999-12-31T23:59:59+00:00")
    answer = await user.call("get_activity_metrics", group_by="week", start="9998-01-01", end="9999-12-31")
    assert answer["definition"]["left_out"]["scheduled"] == 1


class TestInNewYork:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_TIMEZONE": "America/New_York"}

    async def test_weeks_begin_on_monday_there_also_when_the_clocks_change(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        for moment in (
            "2026-03-08T06:59:00+00:00",  # Sunday 01:59, an hour before summer time
            "2026-03-09T03:59:00+00:00",  # Sunday 23:59, in summer time
            "2026-03-09T04:00:00+00:00",  # Monday 00:00
            "2026-03-16T03:59:59+00:00",
            "2026-03-16T04:00:00+00:00",
        ):
            sixty.clock.advance(datetime.fromisoformat(moment) - sixty.clock())
            await log(user, duration_minutes=10)
        answer = await user.call("get_activity_metrics", group_by="week", start="2026-03-02", end="2026-03-22")
        assert answer["metrics"] == [
            {"group": "2026-03-02", "count": 2, "minutes": 20},
            {"group": "2026-03-09", "count": 2, "minutes": 20},
            {"group": "2026-03-16", "count": 1, "minutes": 10},
        ]
        midweek = await user.call("get_activity_metrics", group_by="week", start="2026-03-08", end="2026-03-09")
        assert groups(midweek) == {"2026-03-02": (2, 20), "2026-03-09": (1, 10)}

    @GENTLY
    @given(
        hours=st.lists(st.integers(0, 24 * 60), min_size=1, max_size=8),
        start=st.dates(date(2026, 2, 20), date(2026, 3, 20)),
        length=st.integers(0, 40),
    )
    async def test_weeks_are_those_of_the_calendar_there(
        self, sixty: Organisation, hours: list[int], start: date, length: int
    ) -> None:
        who, zone = await sixty.user(f"u{next(NUMBERS)}"), ZoneInfo("America/New_York")
        first = datetime(2026, 2, 20, 4, 30, tzinfo=UTC)
        days = []
        for hour in hours:
            moment = first + timedelta(hours=hour)
            sixty.clock.advance(moment - sixty.clock())
            await log(who, duration_minutes=1)
            days.append(moment.astimezone(zone).date())
        last = start + timedelta(days=length)
        answer = await who.call("get_activity_metrics", group_by="week", start=str(start), end=str(last))
        expected = Counter(str(week_of(day)) for day in days if start <= day <= last)
        assert groups(answer) == {week: (times, times) for week, times in expected.items()}
        assert [metric["group"] for metric in answer["metrics"]] == sorted(expected)


@given(start=st.dates(date(1, 1, 1), date(9990, 1, 1)), length=st.integers(0, 400))
def test_each_day_of_a_window_is_in_the_week_that_the_mondays_say(start: date, length: int) -> None:
    last = start + timedelta(days=length)
    begins = mondays(start, last)
    weeks = [week_of(start), *begins]
    for number in range(length + 1):
        day = start + timedelta(days=number)
        assert weeks[sum(monday <= day for monday in begins)] == week_of(day)
    assert max(Counter(weeks).values()) == 1
