"""The activities of the demo organisation, on a day that is given."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.demo.loading import load
from sixty.storage.database import open_database
from sixty.tables import changes, users
from sixty_activities import plugin
from sixty_activities.tables import activities

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.storage.statements import Row

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)


async def organisation(file: Path, now: datetime) -> dict[str, list[Row]]:
    """What is in the database after loading the demo."""
    url = f"sqlite+aiosqlite:///{file}"
    await load(url, now, [("activities", plugin)])
    database = await open_database(url)
    try:
        return {
            table.name: await database.rows(sa.select(table).order_by(order))
            for table, order in ((activities, activities.c.id), (changes, changes.c.seq), (users, users.c.id))
        }
    finally:
        await database.close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    return asyncio.run(organisation(tmp_path_factory.mktemp("demo") / "demo.db", NOW))


def told(found: dict[str, list[Row]]) -> list[Any]:
    """The same in words, without ids."""
    names = {user["id"]: user["name"] for user in found["users"]}
    return [
        {name: names.get(value, value) for name, value in row.items() if name != "id"} for row in found["activities"]
    ]


def test_every_week_of_six_months_has_five_to_eight_of_them(loaded: dict[str, list[Row]]) -> None:
    # what was logged, or had been scheduled, for weeks that are over
    planned = Counter(
        (row["scheduled_at"] or row["completed_at"]).isocalendar()[:2]
        for row in loaded["activities"]
        if row["happens_at"] < MIDNIGHT - timedelta(days=7)
    )
    assert 25 <= len(planned) <= 27
    assert all(5 <= number <= 8 for number in (planned[week] for week in sorted(planned)[1:-1]))
    assert len({row["owner_id"] for row in loaded["activities"]}) == 9


def test_they_are_of_all_kinds_and_most_were_held(loaded: dict[str, list[Row]]) -> None:
    past = [row for row in loaded["activities"] if row["happens_at"] < MIDNIGHT]
    status = Counter(row["status"] for row in past)
    assert status["completed"] > 0.85 * len(past)
    assert status["cancelled"] >= 5
    assert {row["type"] for row in past} == {"call", "meeting", "email", "task"}
    assert len({row["description"] for row in past}) > 60
    assert sum(row["reschedule_reason"] is not None for row in past) >= 5
    assert sum(row["outcome"] is not None for row in past) > 0.8 * len(past)


def test_some_are_overdue_and_some_are_to_come(loaded: dict[str, list[Row]]) -> None:
    scheduled = [row["scheduled_at"] for row in loaded["activities"] if row["status"] == "scheduled"]
    assert 2 <= sum(at < NOW for at in scheduled) <= 10
    assert 8 <= sum(NOW < at < NOW + timedelta(days=20) for at in scheduled) == sum(at > NOW for at in scheduled)


def test_people_work_on_weekdays_and_made_nothing_today(loaded: dict[str, list[Row]]) -> None:
    moments = [change["at"] for change in loaded["changes"]]
    assert moments == sorted(moments)
    assert moments[-1] < MIDNIGHT
    assert {moment.weekday() for moment in moments} == {0, 1, 2, 3, 4}
    assert all(7 <= moment.hour <= 19 for moment in moments)
    assert timedelta(days=180) < NOW - moments[0] < timedelta(days=210)


async def test_it_is_the_same_on_each_run_of_a_day(loaded: dict[str, list[Row]], tmp_path: Path) -> None:
    assert told(await organisation(tmp_path / "again.db", NOW + timedelta(hours=7))) == told(loaded)


async def test_it_moves_along_with_the_day(tmp_path: Path) -> None:
    sunday = datetime(2028, 2, 27, 23, 59, tzinfo=UTC)
    found = await organisation(tmp_path / "later.db", sunday)
    assert 150 < len(found["activities"]) < 240
    assert max(change["at"] for change in found["changes"]) < sunday.replace(hour=0, minute=0)
