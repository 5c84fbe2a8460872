"""Changes to people: what is refused, by class, and that a refused change leaves nothing behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sixty.errors import Conflict, Invalid, NotFound, SixtyError
from sixty.ids import new_id
from sixty.people import (
    add_grant,
    add_key,
    add_team,
    add_user,
    disable_user,
    list_grants,
    list_keys,
    list_teams,
    list_users,
    revoke_grant,
    revoke_key,
    set_role,
)

if TYPE_CHECKING:
    from sixty.storage.database import Database

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
KNOWN = ("deals:read", "deals:update", "contacts:read")


async def test_an_address_is_kept_in_lower_case_and_found_in_any(database: Database) -> None:
    ada = await add_user(database, email=" Ada@Example.COM ", now=NOW)
    assert ada.email == "ada@example.com"
    assert ada.name == "ada"
    assert (await set_role(database, "ADA@example.com", "manager")).id == ada.id


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "a da@example.com", "ada@example.com\n.de", "a\x00@b.c", "a@" + "b" * 400],
)
async def test_what_is_no_address_is_invalid(database: Database, email: str) -> None:
    with pytest.raises(Invalid) as caught:
        await add_user(database, email=email, now=NOW)
    assert caught.value.details["field"] == "email"
    assert await list_users(database) == []


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\nb", "x" * 256, "\ud800"])
async def test_a_name_is_one_line_of_up_to_255_characters(database: Database, name: str) -> None:
    with pytest.raises(Invalid):
        await add_team(database, name)
    with pytest.raises(Invalid):
        await add_user(database, email="ada@example.com", name=name, now=NOW)
    assert await list_teams(database) == []


async def test_an_address_a_subject_and_a_team_name_are_taken_once(database: Database) -> None:
    await add_team(database, "North")
    ada = await add_user(database, email="ada@example.com", subject="auth0|ada", now=NOW)
    with pytest.raises(Conflict):
        await add_team(database, " North")
    with pytest.raises(Conflict):
        await add_user(database, email="Ada@example.com", now=NOW)
    with pytest.raises(Conflict):
        await add_user(database, email="grace@example.com", subject="auth0|ada", now=NOW)
    assert await list_users(database) == [ada]


async def test_nobody_can_have_the_id_of_somebody_else_as_their_subject(database: Database) -> None:
    ada = await add_user(database, email="ada@example.com", now=NOW)
    with pytest.raises(Conflict):
        await add_user(database, email="mallory@example.com", subject=ada.id, now=NOW)


async def test_of_two_that_take_the_same_address_at_once_one_gets_it(database: Database) -> None:
    results = await asyncio.gather(
        *(add_user(database, email="ada@example.com", now=NOW) for _ in range(5)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 4 + ["User"]


async def test_a_misspelt_role_team_or_address_is_answered_with_the_nearest(database: Database) -> None:
    await add_team(database, "North")
    await add_user(database, email="ada@example.com", now=NOW)
    with pytest.raises(Invalid, match="must be one of user, manager, admin"):
        await add_user(database, email="grace@example.com", role="boss", now=NOW)
    with pytest.raises(NotFound, match="did you mean 'North'"):
        await add_user(database, email="grace@example.com", team="Nroth", now=NOW)
    with pytest.raises(NotFound, match=r"did you mean 'ada@example\.com'"):
        await set_role(database, "ada@example.org", "manager")


async def test_disabling_twice_keeps_the_first_time(database: Database) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    await disable_user(database, "ada@example.com", now=NOW)
    assert (await disable_user(database, "ada@example.com", now=LATER)).disabled_at == NOW


async def test_a_grant_is_kept_in_its_short_spelling_and_only_once(database: Database) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    await add_grant(database, "ada@example.com", "deals:update:all", known=KNOWN)
    await add_grant(database, "ada@example.com", "deals:update", known=KNOWN)
    assert await list_grants(database) == [("ada@example.com", "deals:update")]
    await revoke_grant(database, "ada@example.com", "deals:update:all")
    assert await list_grants(database) == []


@pytest.mark.parametrize(
    ("permission", "message"),
    [
        ("deals", "write resource:action"),
        ("deals:read:everywhere", "own, team or all"),
        ("deal:read", "did you mean 'deals'"),
        ("deals:reed", "did you mean 'read'"),
        ("*:reed", "did you mean 'read'"),
    ],
)
async def test_a_grant_of_what_nobody_asks_for_is_invalid(database: Database, permission: str, message: str) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    with pytest.raises(Invalid, match=message):
        await add_grant(database, "ada@example.com", permission, known=KNOWN)
    assert await list_grants(database) == []


@pytest.mark.parametrize("permission", ["*:*", "*:read", "deals:*", "deals:team", "contacts:read:own"])
async def test_wildcards_are_granted_too(database: Database, permission: str) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    await add_grant(database, "ada@example.com", permission, known=KNOWN)
    await revoke_grant(database, "ada@example.com", permission)


async def test_revoking_what_is_not_held_names_what_is(database: Database) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    await add_grant(database, "ada@example.com", "deals:update", known=KNOWN)
    with pytest.raises(NotFound, match="did you mean 'deals:update'"):
        await revoke_grant(database, "ada@example.com", "deals:update:own")


async def test_the_secret_of_a_key_is_told_once_and_stored_nowhere(database: Database) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    key, secret = await add_key(database, "ada@example.com", "n8n", now=NOW)
    assert secret.startswith("sk60_")
    assert len(secret) >= 48
    assert secret not in repr(await list_keys(database))
    assert await list_keys(database) == [key]


async def test_a_revoked_key_stays_in_the_list_with_its_first_time(database: Database) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    key, _ = await add_key(database, "ada@example.com", "n8n", now=NOW)
    await revoke_key(database, key.id, now=NOW)
    assert (await revoke_key(database, key.id, now=LATER)).revoked_at == NOW
    assert [listed.revoked_at for listed in await list_keys(database)] == [NOW]


@pytest.mark.parametrize("key_id", ["sk60_secret", "", new_id()])
async def test_an_unknown_key_cannot_be_revoked(database: Database, key_id: str) -> None:
    with pytest.raises(NotFound, match="sixty key list"):
        await revoke_key(database, key_id, now=NOW)


async def test_a_disabled_user_gets_no_new_key(database: Database) -> None:
    await add_user(database, email="ada@example.com", now=NOW)
    await disable_user(database, "ada@example.com", now=NOW)
    with pytest.raises(SixtyError, match="disabled"):
        await add_key(database, "ada@example.com", "n8n", now=NOW)
    assert await list_keys(database) == []
