"""When activities are completed, as its words and its edges go; its counts are checked in `test_properties`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ledger import Activity, keep

from sixty import Invalid, NotFound
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


async def heatmap(sixty: Organisation, **arguments: Any) -> dict[str, Any]:
    return await sixty.as_role("admin").call("get_activity_heatmap", **arguments)


async def test_without_activities_it_says_so(sixty: Organisation) -> None:
    await keep(sixty, Activity(at=MORNING, status="scheduled"), Activity(at=MORNING, status="cancelled"))
    told = await heatmap(sixty)
    assert told["message"] == "No activity that you can see was completed from 2025-12-03 to 2026-03-02 (UTC)"
    assert told["insufficient_data"] == {"heatmap": told["message"]}
    assert (told["total"], "busiest" in told) == (0, False)
    assert told["definition"]["left_out"] == {"scheduled": 1, "cancelled": 1}
    assert [len(row) for row in told["heatmap"]] == [24] * 7


async def test_monday_comes_first_and_of_equals_the_earliest_is_the_busiest(sixty: Organisation) -> None:
    user = sixty.as_role("user").user_id
    monday, sunday = MORNING, MORNING - timedelta(days=1)
    await keep(sixty, *(Activity(at=at, owner_id=user) for at in (monday, sunday, sunday, monday)))
    told = await heatmap(sixty, owner_id=user)
    assert (told["heatmap"][0][9], told["heatmap"][6][9], told["total"]) == (2, 2, 4)
    assert told["busiest"] == {"weekday": "Monday", "hour": 9, "count": 2}
    assert told["message"] == (
        "4 completed activities of Uma User from 2025-12-03 to 2026-03-02 (UTC); the most on Monday from 9:00"
    )


async def test_an_hour_on_the_wall_is_the_same_in_summer_and_in_winter(sixty: Organisation) -> None:
    winter, summer = datetime(2025, 1, 6, 8, 30, tzinfo=UTC), datetime(2025, 7, 7, 7, 30, tzinfo=UTC)
    await keep(sixty, Activity(at=winter), Activity(at=summer))
    told = await heatmap(sixty, start="2025-01-01", timezone="Europe/Berlin")
    assert told["heatmap"][0][9] == 2


async def test_a_moment_just_before_the_hour_belongs_to_the_hour_before(sixty: Organisation) -> None:
    await keep(sixty, Activity(at=datetime(2026, 3, 1, 23, 59, 59, 999_999, UTC)))
    told = await heatmap(sixty)
    assert told["busiest"] == {"weekday": "Sunday", "hour": 23, "count": 1}


@pytest.mark.parametrize("name", ["Europe/Berln", "/etc/passwd", "", "../UTC"])
async def test_a_time_zone_that_nobody_knows_is_refused(sixty: Organisation, name: str) -> None:
    with pytest.raises(Invalid, match="timezone must be the name of a time zone") as refused:
        await heatmap(sixty, timezone=name)
    assert ("did you mean 'Europe/Berlin'" in str(refused.value)) == (name == "Europe/Berln")


async def test_unknown_owners_and_windows_to_come_are_told(sixty: Organisation) -> None:
    with pytest.raises(NotFound, match="owner_id"):
        await heatmap(sixty, owner_id=NOBODY)
    assert (await heatmap(sixty, start="tomorrow", end="+7_days"))["message"].endswith("which has not begun")
