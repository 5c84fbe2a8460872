"""The deals of the demo organisation, on a day that is given."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.demo.loading import load
from sixty.demo.organisation import COMPANIES
from sixty.storage.database import open_database
from sixty.tables import changes, users
from sixty_deals import plugin
from sixty_deals.rules import STAGES
from sixty_deals.tables import deal_stages, deals

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.storage.statements import Row

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)


async def organisation(file: Path, now: datetime) -> dict[str, list[Row]]:
    """What is in the database after loading the demo."""
    url = f"sqlite+aiosqlite:///{file}"
    await load(url, now, [("deals", plugin)])
    database = await open_database(url)
    try:
        return {
            table.name: await database.rows(sa.select(table).order_by(order))
            for table, order in (
                (deals, deals.c.id),
                (deal_stages, deal_stages.c.id),
                (changes, changes.c.seq),
                (users, users.c.id),
            )
        }
    finally:
        await database.close()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    return asyncio.run(organisation(tmp_path_factory.mktemp("demo") / "demo.db", NOW))


def told(found: dict[str, list[Row]]) -> list[Any]:
    """The same in words, without ids."""
    names: dict[str, Any] = {user["id"]: user["name"] for user in found["users"]}
    names |= {deal["id"]: (number, deal["title"]) for number, deal in enumerate(found["deals"])}
    return [
        {name: names.get(value, value) for name, value in row.items() if name != "id"}
        for table in ("deals", "deal_stages")
        for row in found[table]
    ]


def test_there_are_120_deals_with_every_company_and_all_nine_people(loaded: dict[str, list[Row]]) -> None:
    assert len(loaded["deals"]) == 120
    assert {deal["company_name"] for deal in loaded["deals"]} == {company.name for company in COMPANIES}
    assert len({deal["owner_id"] for deal in loaded["deals"]}) == 9
    assert len({deal["title"] for deal in loaded["deals"]}) > 40


def test_the_history_spans_the_last_twelve_months_and_ends_yesterday(loaded: dict[str, list[Row]]) -> None:
    moments = [change["at"] for change in loaded["changes"]]
    assert moments == sorted(moments)
    assert timedelta(days=360) < NOW - moments[0] < timedelta(days=370)
    assert MIDNIGHT - timedelta(days=4) < moments[-1] < MIDNIGHT
    assert {moment.weekday() for moment in moments} == {0, 1, 2, 3, 4}
    opened = Counter((deal["created_at"].year, deal["created_at"].month) for deal in loaded["deals"])
    assert len(opened) >= 12


def test_some_deals_are_open_some_won_and_some_lost_for_a_reason(loaded: dict[str, list[Row]]) -> None:
    by_status = {
        status: [deal for deal in loaded["deals"] if deal["status"] == status] for status in ("open", "won", "lost")
    }
    assert all(len(found) >= 25 for found in by_status.values())
    assert {deal["stage"] for deal in by_status["open"]} == set(STAGES[:3])
    assert all(deal["stage"] == "signed" and deal["closed_at"] for deal in by_status["won"])
    assert len({deal["lost_reason"] for deal in by_status["lost"]}) >= 4
    assert any(deal["monthly_mrr"] for deal in by_status["won"])


def test_open_deals_are_due_in_the_past_in_the_future_and_nobody_knows_when(loaded: dict[str, list[Row]]) -> None:
    due = [deal["expected_close_date"] for deal in loaded["deals"] if deal["status"] == "open"]
    assert None in due
    assert any(day and day < NOW.date() for day in due)
    assert any(day and day > NOW.date() for day in due)
    assert 5 <= sum(deal["value"] is None for deal in loaded["deals"]) <= 20


def test_each_stay_in_a_stage_begins_where_the_one_before_ends(loaded: dict[str, list[Row]]) -> None:
    stays: dict[str, list[Row]] = {}
    for stay in loaded["deal_stages"]:
        stays.setdefault(stay["deal_id"], []).append(stay)
    assert sum(len(found) > 1 for found in stays.values()) > 60
    for deal in loaded["deals"]:
        found = stays[deal["id"]]
        assert found[0]["entered_at"] == deal["created_at"]
        assert [stay["left_at"] for stay in found] == [*(stay["entered_at"] for stay in found[1:]), None]
        assert found[-1]["stage"] == deal["stage"]


async def test_it_is_the_same_on_each_run_of_a_day(loaded: dict[str, list[Row]], tmp_path: Path) -> None:
    again = await organisation(tmp_path / "again.db", NOW + timedelta(hours=7))
    assert told(again) == told(loaded)


async def test_it_moves_along_with_the_day(tmp_path: Path) -> None:
    sunday = datetime(2028, 2, 27, 23, 59, tzinfo=UTC)
    found = await organisation(tmp_path / "later.db", sunday)
    assert len(found["deals"]) == 120
    moments = [change["at"] for change in found["changes"]]
    assert timedelta(days=360) < sunday - moments[0] < timedelta(days=370)
    assert sunday - timedelta(days=5) < moments[-1] < sunday
