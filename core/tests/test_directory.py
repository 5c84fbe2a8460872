"""The directory: what a user may do now, and that every change is seen on the next call."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.directory import Directory, Identity, load_directory
from sixty.errors import Unavailable
from sixty.ids import new_id
from sixty.people import (
    add_grant,
    add_key,
    add_team,
    add_user,
    disable_user,
    key_hash,
    revoke_grant,
    revoke_key,
    set_role,
)
from sixty.permissions import Grant, Role, Scope
from sixty.tables import grants, state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.storage.database import Database

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROLE_GRANTS: Mapping[Role, tuple[Grant, ...]] = {
    "user": (Grant.parse("deals:read"), Grant.parse("deals:update:own")),
    "manager": (Grant.parse("deals:read"), Grant.parse("deals:update:own"), Grant.parse("deals:update:team")),
    "admin": (Grant.parse("*:*"),),
}
KNOWN = ("deals:read", "deals:update", "deals:delete")


async def load(database: Database) -> Directory:
    async with database.snapshot() as reader:
        return await load_directory(reader, ROLE_GRANTS)


async def test_a_principal_holds_what_the_role_and_their_own_grants_give(database: Database) -> None:
    ada = await add_user(database, email="ada@example.com", role="manager", now=NOW)
    await add_grant(database, "ada@example.com", "deals:delete:own", known=KNOWN)
    principal = (await load(database)).principal(ada.id)
    assert principal is not None
    assert principal.scope("deals:read") is Scope.ALL
    assert principal.scope("deals:update") == Scope.OWN | Scope.TEAM
    assert principal.scope("deals:delete") is Scope.OWN
    assert principal.may("deals:delete")
    assert not principal.may("contacts:read")


async def test_an_admin_holds_every_permission(database: Database) -> None:
    ada = await add_user(database, email="ada@example.com", role="admin", now=NOW)
    principal = (await load(database)).principal(ada.id)
    assert principal is not None
    assert principal.scope("anything:whatsoever") is Scope.ALL


async def test_a_disabled_user_has_a_name_and_no_principal(database: Database) -> None:
    ada = await add_user(database, email="ada@example.com", name="Ada Lovelace", now=NOW)
    await disable_user(database, "ada@example.com", now=NOW)
    directory = await load(database)
    assert directory.principal(ada.id) is None
    assert directory.name_of(ada.id) == "Ada Lovelace"


async def test_users_are_found_by_id_address_subject_and_key(database: Database) -> None:
    team = await add_team(database, "North")
    ada = await add_user(database, email="ada@example.com", team="North", subject="auth0|ada", now=NOW)
    _, secret = await add_key(database, "ada@example.com", "n8n", now=NOW)
    directory = await load(database)
    assert directory.users[ada.id] == ada
    assert directory.users_by_email["ada@example.com"] == ada
    assert directory.users_by_subject["auth0|ada"] == ada
    assert directory.keys[key_hash(secret)].user_id == ada.id
    assert directory.team_of(ada.id) == team.id
    assert directory.teams[team.id] == team


async def test_nobody_has_no_name_no_team_and_no_principal(database: Database) -> None:
    directory = await load(database)
    stranger = new_id()
    assert directory.name_of(None) is None
    assert directory.name_of(stranger) is None
    assert directory.team_of(None) is None
    assert directory.team_of(stranger) is None
    assert directory.principal(stranger) is None


async def test_without_a_change_the_same_directory_is_given_again(database: Database) -> None:
    identity = Identity(database, lambda: ROLE_GRANTS)
    assert await identity.directory() is await identity.directory()


async def test_a_change_by_another_process_counts_from_the_next_call_on(database: Database) -> None:
    ada = await add_user(database, email="ada@example.com", now=NOW)
    identity = Identity(database, lambda: ROLE_GRANTS)
    before = (await identity.directory()).principal(ada.id)
    assert before is not None
    assert before.role == "user"
    await set_role(database, "ada@example.com", "admin")
    after = (await identity.directory()).principal(ada.id)
    assert after is not None
    assert after.role == "admin"
    assert after.may("deals:delete")


async def test_every_change_of_people_raises_the_counter_by_one(database: Database) -> None:
    async def version() -> int:
        return (await load(database)).version

    before = await version()
    await add_team(database, "North")
    await add_user(database, email="ada@example.com", now=NOW)
    key, _ = await add_key(database, "ada@example.com", "n8n", now=NOW)
    await add_grant(database, "ada@example.com", "deals:delete", known=KNOWN)
    await revoke_grant(database, "ada@example.com", "deals:delete")
    await revoke_key(database, key.id, now=NOW)
    await set_role(database, "ada@example.com", "manager")
    await disable_user(database, "ada@example.com", now=NOW)
    assert await version() == before + 8


async def test_what_roles_may_do_changes_when_packs_come_and_go(database: Database) -> None:
    ada = await add_user(database, email="ada@example.com", now=NOW)
    offered: dict[Role, tuple[Grant, ...]] = {"user": ()}
    identity = Identity(database, lambda: offered)
    before = (await identity.directory()).principal(ada.id)
    offered = {"user": (Grant.parse("deals:read"),)}
    after = (await identity.directory()).principal(ada.id)
    assert before is not None
    assert after is not None
    assert (before.may("deals:read"), after.may("deals:read")) == (False, True)


async def test_a_reader_of_an_older_state_is_given_the_newer_directory(database: Database) -> None:
    identity = Identity(database, lambda: ROLE_GRANTS)
    async with database.snapshot() as older:
        await identity.directory(older)
        ada = await add_user(database, email="ada@example.com", now=NOW)
        newer = await identity.directory()
        assert await identity.directory(older) is newer
    assert ada.id in newer.users


async def test_what_was_read_last_is_at_hand_without_reading_again(database: Database) -> None:
    identity = Identity(database, lambda: ROLE_GRANTS)
    with pytest.raises(LookupError):
        _ = identity.latest
    assert await identity.directory() is identity.latest


async def test_of_many_callers_that_see_a_change_one_loads(database: Database) -> None:
    identity = Identity(database, lambda: ROLE_GRANTS)
    loaded = await asyncio.gather(*(identity.directory() for _ in range(10)))
    assert len({id(directory) for directory in loaded}) == 1


async def test_a_grant_that_is_none_is_without_effect(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    ada = await add_user(database, email="ada@example.com", now=NOW)
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(grants), {"user_id": ada.id, "permission": "everything please"})
    principal = (await load(database)).principal(ada.id)
    assert principal is not None
    assert not principal.may("deals:delete")
    assert "everything please" in caplog.text


async def test_a_database_without_migrations_has_no_directory(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(sa.delete(state))
    with pytest.raises(Unavailable, match="sixty db upgrade"):
        await load(database)
    with pytest.raises(Unavailable, match="sixty db upgrade"):
        await add_team(database, "North")
