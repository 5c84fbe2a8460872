"""A pack takes part in the demo by planning calls; these are made as if the time had come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes

from sixty import hookimpl
from sixty.demo.loading import Loaded, load
from sixty.demo.organisation import COMPANIES, TEAMS
from sixty.errors import OperatorError
from sixty.storage.database import open_database
from sixty.tables import audit, changes, teams, users

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sixty.demo import Demo
    from sixty.storage.statements import Row

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MORNING = datetime(2025, 6, 2, 8, 0, tzinfo=UTC)


def taking_part(plan: Callable[[Demo], None]) -> ModuleType:
    """The pack of notes, with a part in the demo."""
    pack = ModuleType(notes.__name__, notes.__doc__)
    vars(pack).update(vars(notes))

    @hookimpl
    def sixty_demo(demo: Demo) -> None:
        plan(demo)

    vars(pack)["sixty_demo"] = sixty_demo
    return pack


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}"


@pytest.fixture
def played(url: str) -> Callable[[Callable[[Demo], None]], Any]:
    async def play(plan: Callable[[Demo], None]) -> Loaded:
        return await load(url, NOW, [("notes", taking_part(plan))])

    return play


async def rows(url: str, statement: sa.Select[Any]) -> list[Row]:
    database = await open_database(url)
    try:
        return await database.rows(statement)
    finally:
        await database.close()


async def test_there_are_3_teams_9_users_in_three_roles_and_40_companies(played: Any, url: str) -> None:
    loaded = await played(lambda _demo: None)
    assert loaded.contents == {"teams": 3, "users": 9, "companies": 40}
    assert len(await rows(url, sa.select(teams))) == len(TEAMS) == 3
    people = await rows(url, sa.select(users))
    assert len({person["email"] for person in people}) == 9
    assert {person["role"] for person in people} == {"user", "manager", "admin"}
    assert len({company.domain for company in COMPANIES}) == 40
    assert COMPANIES[0].name == "Acme"


async def test_each_role_has_a_key_that_is_not_shown_by_accident(played: Any) -> None:
    badges = (await played(lambda _demo: None)).badges
    assert {role: badge.user.role for role, badge in badges.items()} == {r: r for r in ("user", "manager", "admin")}
    assert all(badge.key.startswith("sk60_") and badge.key not in repr(badge) for badge in badges.values())


async def test_calls_are_made_in_the_order_of_time_each_at_its_moment(played: Any, url: str) -> None:
    def plan(demo: Demo) -> None:
        for hours, text in ((3, "third"), (1, "first"), (2, "second")):
            demo.at(MORNING + timedelta(hours=hours), demo.people[0], "add_note", text=text)

    loaded = await played(plan)
    assert (loaded.calls, loaded.contents["notes"]) == (3, 3)
    moments = [MORNING + timedelta(hours=hours) for hours in (1, 2, 3)]
    made = await rows(url, sa.select(notes.notes).order_by(notes.notes.c.id))
    assert [(note["text"], note["created_at"]) for note in made] == list(
        zip(("first", "second", "third"), moments, strict=True)
    )
    assert [change["at"] for change in await rows(url, sa.select(changes).order_by(changes.c.seq))] == moments
    lines = await rows(url, sa.select(audit).order_by(audit.c.at))
    assert [(line["at"], line["transport"]) for line in lines] == [(moment, "demo") for moment in moments]


async def test_a_call_can_name_what_an_earlier_one_answered(played: Any, url: str) -> None:
    def plan(demo: Demo) -> None:
        note = demo.at(MORNING, demo.people[0], "add_note", text="first")
        demo.at(MORNING, demo.people[0], "edit_note", note_id=note["note"]["id"], updates={"text": "better"})
        demo.at(MORNING, demo.people[0], "merge_notes", primary_id=note["note"]["id"], duplicate_ids=[])

    with pytest.raises(OperatorError, match=r"merge_notes at 2025-06-02T08:00:00\+00:00 by Grace Okafor failed: dupl"):
        await played(plan)
    (note,) = await rows(url, sa.select(notes.notes))
    assert (note["text"], note["version"]) == ("better", 2)


async def test_a_call_can_point_at_some_record_of_a_person_and_is_left_out_if_there_is_none(
    played: Any, url: str
) -> None:
    def plan(demo: Demo) -> None:
        grace, uma = demo.people[:2]
        demo.at(MORNING, grace, "add_note", text="first")
        demo.at(MORNING, grace, "add_note", text="about it", about_id=demo.one_of("note", grace))
        left_out = demo.at(MORNING, uma, "add_note", text="about nothing", about_id=demo.one_of("note", uma))
        demo.at(MORNING, uma, "edit_note", note_id=left_out["note"]["id"], updates={"text": "x"})

    assert (await played(plan)).calls == 2
    first, second = await rows(url, sa.select(notes.notes).order_by(notes.notes.c.id))
    assert second["about_id"] == first["id"]


async def test_a_call_can_point_at_what_another_pack_left_for_a_company(played: Any, url: str) -> None:
    def plan(demo: Demo) -> None:
        grace, uma = demo.people[:2]
        acme, other, *_ = demo.companies
        by_company = demo.one_of("note", company=acme)
        demo.at(MORNING, grace, "add_note", text="too early", about_id=by_company)
        demo.at(
            MORNING, uma, "add_note", text="about nothing", about_id=demo.one_of("note", company=acme, optional=True)
        )
        for company in (acme, other):
            made = demo.at(MORNING, grace, "add_note", text=company.name)
            demo.leave("note", company, made["note"]["id"])
        demo.at(MORNING, grace, "add_note", text="about it", about_id=by_company)
        demo.at(MORNING, uma, "add_note", text="not hers", about_id=demo.one_of("note", uma, company=acme))

    assert (await played(plan)).calls == 4
    found = {note["text"]: note for note in await rows(url, sa.select(notes.notes))}
    assert found["about nothing"]["about_id"] is None
    assert found["about it"]["about_id"] == found["Acme"]["id"]


async def test_permissions_hold_in_the_past_too(played: Any) -> None:
    def plan(demo: Demo) -> None:
        user = next(person for person in demo.people if person.role == "user")
        demo.at(MORNING, user, "add_note", text="a note", secret="a secret")

    with pytest.raises(OperatorError, match="Only an admin may keep a secret"):
        await played(plan)


async def test_chance_is_the_same_on_each_run_and_differs_between_packs(tmp_path: Path) -> None:
    async def drawn(name: str, file: str) -> float:
        seen: list[float] = []
        pack = taking_part(lambda demo: seen.append(demo.random.random()))
        await load(f"sqlite+aiosqlite:///{tmp_path / file}", NOW, [(name, pack)])
        return seen[0]

    assert await drawn("notes", "1.db") == await drawn("notes", "2.db") != await drawn("others", "3.db")
