"""The contacts of the demo organisation, on a day that is given."""

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
from sixty_contacts import plugin
from sixty_contacts.demo_people import CITIES, PHONES, TWICE
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.storage.statements import Row

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)


async def organisation(file: Path, now: datetime) -> dict[str, list[Row]]:
    """What is in the database after loading the demo."""
    url = f"sqlite+aiosqlite:///{file}"
    await load(url, now, [("contacts", plugin)])
    database = await open_database(url)
    try:
        return {
            table.name: await database.rows(sa.select(table).order_by(order))
            for table, order in (
                (contacts, contacts.c.id),
                (companies, companies.c.id),
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
    names |= {company["id"]: company["name"] for company in found["companies"]}
    return [
        {name: names.get(value, value) for name, value in row.items() if name != "id"}
        for table in ("contacts", "companies")
        for row in found[table]
    ]


def test_every_company_has_two_to_four_people_and_some_are_there_twice(loaded: dict[str, list[Row]]) -> None:
    by_company = Counter(contact["company_id"] for contact in loaded["contacts"])
    names = {company["id"]: company["name"] for company in loaded["companies"]}
    assert set(names.values()) == {company.name for company in COMPANIES}
    assert len(names) == 40
    assert len(loaded["contacts"]) == sum(by_company.values()) >= 100
    for company_id, count in by_company.items():
        twice = names[company_id] in TWICE
        assert 2 + twice <= count <= 4 + twice
    assert len({contact["owner_id"] for contact in loaded["contacts"]}) == 9


def test_eight_people_were_entered_again_under_another_name(loaded: dict[str, list[Row]]) -> None:
    names = {company["id"]: company["name"] for company in loaded["companies"]}
    for company, twice in TWICE.items():
        first, again = (
            next(
                contact
                for contact in loaded["contacts"]
                if names[contact["company_id"]] == company and contact["full_name"] == name
            )
            for name in (
                f"{twice.first_name} {twice.last_name}",
                f"{twice.other_first_name} {twice.other_last_name}",
            )
        )
        assert first["created_at"] < again["created_at"]
        assert first["phone_e164"] == again["phone_e164"]
        assert first["email"] != again["email"]
        assert first["owner_id"] != again["owner_id"]
    assert len({contact["email"] for contact in loaded["contacts"]}) == len(loaded["contacts"])


def test_names_telephones_and_addresses_fit_the_place_and_are_nobodys(loaded: dict[str, list[Row]]) -> None:
    assert set(CITIES) == {company.city for company in COMPANIES}
    assert all(contact["email"].endswith(".example") for contact in loaded["contacts"])
    assert all(contact["email"].isascii() for contact in loaded["contacts"])
    assert all(company["domain"].endswith(".example") for company in loaded["companies"])
    assert {contact["country"] for contact in loaded["contacts"]} == {country.name for country in CITIES.values()}
    with_phone = [contact for contact in loaded["contacts"] if contact["phone"] is not None]
    assert {contact["city"] for contact in with_phone} <= set(PHONES)
    assert len(with_phone) > 30
    assert all(contact["phone_e164"] is not None for contact in with_phone)


def test_each_company_has_somebody_before_the_first_deal(loaded: dict[str, list[Row]]) -> None:
    first = {contact["company_id"]: contact["created_at"] for contact in reversed(loaded["contacts"])}
    assert len(first) == 40
    assert all(moment < NOW - timedelta(days=366) for moment in first.values())
    assert all(company["industry"] for company in loaded["companies"])
    assert {company["size"] is None for company in loaded["companies"]} == {True, False}


def test_the_history_ends_yesterday_on_working_days(loaded: dict[str, list[Row]]) -> None:
    moments = [change["at"] for change in loaded["changes"]]
    assert moments == sorted(moments)
    assert timedelta(days=366) < NOW - moments[0] < timedelta(days=400)
    assert moments[-1] < MIDNIGHT
    assert {moment.weekday() for moment in moments} == {0, 1, 2, 3, 4}
    assert sum(change["op"] == "update" and change["table_name"] == "contacts" for change in loaded["changes"]) > 5


async def test_it_is_the_same_on_each_run_of_a_day(loaded: dict[str, list[Row]], tmp_path: Path) -> None:
    again = await organisation(tmp_path / "again.db", NOW + timedelta(hours=7))
    assert told(again) == told(loaded)


async def test_it_moves_along_with_the_day(loaded: dict[str, list[Row]], tmp_path: Path) -> None:
    sunday = datetime(2028, 2, 27, 23, 59, tzinfo=UTC)
    found = await organisation(tmp_path / "later.db", sunday)
    assert len(found["contacts"]) == len(loaded["contacts"])
    assert max(change["at"] for change in found["changes"]) < sunday.replace(hour=0, minute=0)
