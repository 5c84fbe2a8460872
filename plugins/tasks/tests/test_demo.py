"""The tasks of the demo organisation, on a day that is given."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from task_neighbours import ALL

from sixty import hookimpl
from sixty.demo.loading import load
from sixty.storage.database import open_database
from sixty.tables import changes, users
from sixty_tasks import plugin
from sixty_tasks.demo import COUNT
from sixty_tasks.tables import tasks

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.demo import Demo
    from sixty.storage.statements import Row

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
MIDNIGHT = NOW.replace(hour=0, minute=0)
Loaded = dict[str, list["Row"]]


class Busy:
    """A pack in whose past everybody has deals, and a meeting each week."""

    @hookimpl
    def sixty_demo(self, demo: Demo) -> None:
        for user in demo.people:
            start = datetime(demo.today.year, demo.today.month, demo.today.day, 10, tzinfo=UTC) - timedelta(days=363)
            demo.at(start, user, "add_deal", title=f"License for {user.name}")
            for week in range(51):
                moment = start + timedelta(weeks=week)
                demo.at(moment, user, "create_activity", type="meeting", description=f"Week {week}")


async def organisation(file: Path, now: datetime, *around: tuple[str, object]) -> Loaded:
    """What is in the database after loading the demo."""
    url = f"sqlite+aiosqlite:///{file}"
    await load(url, now, [("tasks", plugin), *around])
    database = await open_database(url)
    try:
        return {
            table.name: await database.rows(sa.select(table).order_by(order))
            for table, order in ((tasks, tasks.c.id), (changes, changes.c.seq), (users, users.c.id))
        }
    finally:
        await database.close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return asyncio.run(organisation(tmp_path_factory.mktemp("demo") / "demo.db", NOW))


def told(found: Loaded) -> list[Any]:
    """The same in words, without ids."""
    names = {user["id"]: user["name"] for user in found["users"]}
    return [{name: names.get(value, value) for name, value in row.items() if name != "id"} for row in found["tasks"]]


def with_status(found: Loaded, status: str) -> list[Row]:
    return [task for task in found["tasks"] if task["status"] == status]


def overdue(found: Loaded) -> list[Row]:
    return [task for task in with_status(found, "open") if task["due_date"] < TODAY]


def test_everybody_has_tasks_of_many_sorts(loaded: Loaded) -> None:
    assert COUNT <= len(loaded["tasks"]) <= COUNT + 40  # some have follow-ups
    assert len({task["owner_id"] for task in loaded["tasks"]}) == 9
    assert len({task["title"] for task in loaded["tasks"]}) > 40
    assert {task["priority"] for task in loaded["tasks"]} == {"low", "medium", "high", "urgent"}


def test_the_history_spans_the_last_six_months_and_ends_yesterday(loaded: Loaded) -> None:
    moments = [change["at"] for change in loaded["changes"]]
    assert moments == sorted(moments)
    assert timedelta(days=170) < NOW - moments[0] < timedelta(days=186)
    assert MIDNIGHT - timedelta(days=4) < moments[-1] < MIDNIGHT
    assert {moment.weekday() for moment in moments} == {0, 1, 2, 3, 4}


def test_most_tasks_are_done_in_time_some_late_and_some_called_off(loaded: Loaded) -> None:
    done = with_status(loaded, "completed")
    late = [task for task in done if task["completed_at"].date() > task["due_date"]]
    assert len(done) > 80
    assert 5 <= len(late) <= len(done) // 4
    assert 4 <= len(with_status(loaded, "cancelled")) <= 20
    assert all(task["outcome"] for task in (*done, *with_status(loaded, "cancelled")))


def test_a_dozen_are_open_and_several_of_them_overdue(loaded: Loaded) -> None:
    assert 12 <= len(with_status(loaded, "open")) <= 30
    assert 4 <= len(overdue(loaded)) <= 12
    assert all(TODAY - task["due_date"] < timedelta(days=30) for task in overdue(loaded))


def test_a_manager_gives_some_to_others(loaded: Loaded) -> None:
    given = [change for change in loaded["changes"] if change["op"] == "insert" and change["by"] != _owner(change)]
    assert 5 <= len(given) <= 40


def _owner(change: Row) -> str:
    return str(change["after"]["owner_id"])


async def test_it_is_the_same_on_each_run_of_a_day(loaded: Loaded, tmp_path: Path) -> None:
    again = await organisation(tmp_path / "again.db", NOW + timedelta(hours=7))
    assert told(again) == told(loaded)


async def test_it_moves_along_with_the_day(tmp_path: Path) -> None:
    sunday = datetime(2028, 2, 27, 23, 59, tzinfo=UTC)
    found = await organisation(tmp_path / "later.db", sunday)
    moments = [change["at"] for change in found["changes"]]
    assert timedelta(days=170) < sunday - moments[0] < timedelta(days=186)
    assert sunday - timedelta(days=5) < moments[-1] < sunday
    assert 12 <= len(with_status(found, "open")) <= 30


async def test_what_automations_make_is_done_within_a_week_or_so(tmp_path: Path) -> None:
    found = await organisation(tmp_path / "busy.db", NOW, *ALL, ("busy", Busy()))
    automatic = [task for task in found["tasks"] if task["automation"] is not None]
    assert len(automatic) == 9 * 51
    assert all(TODAY - task["due_date"] < timedelta(days=10) for task in automatic if task["status"] == "open")
    assert len(overdue(found)) < 25
    assert sum(task["deal_id"] is not None for task in found["tasks"]) > 40
