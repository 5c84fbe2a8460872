"""Changes to the organisation's people: teams, users, roles, grants and API keys.

Each function is one transaction that also raises the counter `identity`, so that every process notices it on
its next call. What is wrong is a `SixtyError`, and then nothing has changed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.counters import raising
from sixty.directory import ApiKey, Team, User
from sixty.errors import Conflict, Invalid, NotFound, Unavailable, nearest
from sixty.ids import new_id
from sixty.permissions import ROLES, Grant, Role
from sixty.tables import api_keys, grants, teams, users

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from datetime import datetime

    from sixty.storage.database import Database, Transaction

__all__ = [
    "KEY_PREFIX",
    "add_grant",
    "add_key",
    "add_team",
    "add_user",
    "disable_user",
    "enable_user",
    "key_hash",
    "list_grants",
    "list_keys",
    "list_teams",
    "list_users",
    "revoke_grant",
    "revoke_key",
    "set_role",
    "set_team",
]

KEY_PREFIX = "sk60_"
"""How every API key begins, so that scanners of source code can find a leaked one."""

LONGEST_EMAIL = 320
"""Characters of an address: 64 before the @, 255 after it."""

_EMAIL = re.compile(r"""[^\s@<>,;:"()\x00-\x1f\x7f\ud800-\udfff]+@[^\s@<>,;:"()\x00-\x1f\x7f\ud800-\udfff]+""")
_LINE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_RAISE = raising("identity")
_TEAM_NAMED = sa.select(teams).where(teams.c.name == sa.bindparam("wanted"))
_TEAM_NAMES = sa.select(teams.c.name)
_USER_WITH_EMAIL = sa.select(users).where(users.c.email == sa.bindparam("wanted"))
_USER_WITH_SUBJECT = sa.select(users).where(users.c.subject == sa.bindparam("wanted"))
_EMAILS_AND_IDS = sa.select(users.c.email, users.c.id)
_SET_ROLE = sa.update(users).where(users.c.id == sa.bindparam("wanted")).values(role=sa.bindparam("new_role"))
_SET_TEAM = sa.update(users).where(users.c.id == sa.bindparam("wanted")).values(team_id=sa.bindparam("new_team"))
_DISABLE = sa.update(users).where(users.c.id == sa.bindparam("wanted")).values(disabled_at=sa.bindparam("now"))
_GRANTS_OF = sa.select(grants).where(grants.c.user_id == sa.bindparam("wanted")).order_by(grants.c.permission)
_REVOKE_GRANT = sa.delete(grants).where(
    grants.c.user_id == sa.bindparam("wanted"), grants.c.permission == sa.bindparam("held")
)
_KEY_WITH_ID = sa.select(api_keys).where(api_keys.c.id == sa.bindparam("wanted"))
_REVOKE_KEY = (
    sa.update(api_keys)
    .where(api_keys.c.id == sa.bindparam("wanted"), api_keys.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"))
)
_INSERT_TEAM = sa.insert(teams)
_INSERT_USER = sa.insert(users)
_INSERT_GRANT = sa.insert(grants)
_INSERT_KEY = sa.insert(api_keys)
_ALL_TEAMS = sa.select(teams).order_by(teams.c.name)
_ALL_USERS = sa.select(users).order_by(users.c.email)
_ALL_GRANTS = (
    sa.select(users.c.email, grants.c.permission)
    .join_from(grants, users, grants.c.user_id == users.c.id)
    .order_by(users.c.email, grants.c.permission)
)
_ALL_KEYS = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)


@asynccontextmanager
async def _change(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that every process will notice."""
    async with database.transaction() as transaction:
        # first, so that on Postgres too one change waits for the other and checks what that one has left
        if await transaction.execute(_RAISE) != 1:
            raise Unavailable("the database lacks tables of the core; run `sixty db upgrade`")
        yield transaction


async def add_team(database: Database, name: str) -> Team:
    """A new team. `Conflict` if the name is taken."""
    team = Team(new_id(), _filled("name", name))
    async with _change(database) as transaction:
        if await transaction.row(_TEAM_NAMED, {"wanted": team.name}) is not None:
            raise Conflict(f"there is already a team {team.name!r}", field="name", given=team.name)
        await transaction.execute(_INSERT_TEAM, {"id": team.id, "name": team.name})
    return team


async def list_teams(database: Database) -> list[Team]:
    """Every team, by name."""
    async with database.snapshot() as reader:
        return [Team(**row) for row in await reader.rows(_ALL_TEAMS)]


async def add_user(
    database: Database,
    *,
    email: str,
    now: datetime,
    name: str | None = None,
    role: Role = "user",
    team: str | None = None,
    subject: str | None = None,
) -> User:
    """A new user, in the team of that name. Without a name, the part of the address before the @ stands in.

    `Conflict` if the address or the subject is taken, `NotFound` if there is no such team.
    """
    email = _email(email)
    name = _filled("name", name if name is not None else email.partition("@")[0])
    if subject is not None:
        subject = _filled("subject", subject)
    async with _change(database) as transaction:
        team_id = None if team is None else await _team_id(transaction, team)
        if await transaction.row(_USER_WITH_EMAIL, {"wanted": email}) is not None:
            raise Conflict(f"there is already a user {email}", field="email", given=email)
        if subject is not None:
            await _refuse_taken_subject(transaction, subject)
        user = User(new_id(), email, name, _role(role), team_id, subject, now, None)
        await transaction.execute(_INSERT_USER, {column.name: getattr(user, column.name) for column in users.columns})
    return user


async def list_users(database: Database) -> list[User]:
    """Every user, by address; disabled ones too."""
    async with database.snapshot() as reader:
        return [User(**row) for row in await reader.rows(_ALL_USERS)]


async def set_role(database: Database, email: str, role: Role) -> User:
    """The user, in the role `role` from now on."""
    role = _role(role)
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        await transaction.execute(_SET_ROLE, {"wanted": user.id, "new_role": role})
        return await _user(transaction, email)


async def set_team(database: Database, email: str, team: str | None) -> User:
    """The user, in the team of that name from now on, or in none. `NotFound` if there is no such team."""
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        team_id = None if team is None else await _team_id(transaction, team)
        await transaction.execute(_SET_TEAM, {"wanted": user.id, "new_team": team_id})
        return await _user(transaction, email)


async def enable_user(database: Database, email: str) -> User:
    """The user, with their credentials accepted again."""
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        await transaction.execute(_DISABLE, {"wanted": user.id, "now": None})
        return await _user(transaction, email)


async def disable_user(database: Database, email: str, *, now: datetime) -> User:
    """The user, with none of their credentials accepted any more. What they own stays theirs."""
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        if user.disabled_at is None:
            await transaction.execute(_DISABLE, {"wanted": user.id, "now": now})
        return await _user(transaction, email)


async def add_grant(database: Database, email: str, permission: str, *, known: Iterable[str]) -> Grant:
    """The user holds `permission` beyond their role. Nothing happens if they hold it already.

    `known` are all permissions that somebody asks for, as `resource:action`; another one is `Invalid`.
    """
    grant = _known_grant(permission, known)
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        if str(grant) not in await _held(transaction, user):
            await transaction.execute(_INSERT_GRANT, {"user_id": user.id, "permission": str(grant)})
    return grant


async def revoke_grant(database: Database, email: str, permission: str) -> Grant:
    """The user no longer holds `permission` beyond their role. `NotFound` if they did not."""
    grant = Grant.parse(permission)
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        if not await transaction.execute(_REVOKE_GRANT, {"wanted": user.id, "held": str(grant)}):
            held = await _held(transaction, user)
            raise NotFound(f"{user.email} has no grant {grant} of their own{nearest(str(grant), held)}")
    return grant


async def list_grants(database: Database) -> list[tuple[str, str]]:
    """Every grant beyond a role, as (address, permission)."""
    async with database.snapshot() as reader:
        return [(row["email"], row["permission"]) for row in await reader.rows(_ALL_GRANTS)]


async def add_key(database: Database, email: str, name: str, *, now: datetime) -> tuple[ApiKey, str]:
    """A new API key of the user, and its secret, which is shown here and never again."""
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    name = _filled("name", name)
    async with _change(database) as transaction:
        user = await _user(transaction, email)
        if user.disabled_at is not None:
            raise Conflict(f"{user.email} is disabled and can have no new key")
        key = ApiKey(new_id(), user.id, name, key_hash(secret), now, None)
        await transaction.execute(_INSERT_KEY, {column.name: getattr(key, column.name) for column in api_keys.columns})
    return key, secret


async def revoke_key(database: Database, key_id: str, *, now: datetime) -> ApiKey:
    """The key, accepted no more. `NotFound` if there is none with that id."""
    async with _change(database) as transaction:
        await _key(transaction, key_id)
        await transaction.execute(_REVOKE_KEY, {"wanted": key_id, "now": now})
        return await _key(transaction, key_id)


async def list_keys(database: Database) -> list[ApiKey]:
    """Every key, oldest first; revoked ones too."""
    async with database.snapshot() as reader:
        return [ApiKey(**row) for row in await reader.rows(_ALL_KEYS)]


def key_hash(secret: str) -> str:
    """What is stored of an API key. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def _user(transaction: Transaction, email: str) -> User:
    row = await transaction.row(_USER_WITH_EMAIL, {"wanted": email.strip().lower()})
    if row is None:
        known = [row["email"] for row in await transaction.rows(_EMAILS_AND_IDS)]
        raise NotFound(f"there is no user {email!r}{nearest(email, known)}")
    return User(**row)


async def _team_id(transaction: Transaction, name: str) -> str:
    row = await transaction.row(_TEAM_NAMED, {"wanted": name.strip()})
    if row is None:
        known = [row["name"] for row in await transaction.rows(_TEAM_NAMES)]
        raise NotFound(f"there is no team {name!r}{nearest(name, known)}")
    return str(row["id"])


async def _key(transaction: Transaction, key_id: str) -> ApiKey:
    row = await transaction.row(_KEY_WITH_ID, {"wanted": key_id}) if _ID.fullmatch(key_id) else None
    if row is None:
        raise NotFound(f"there is no API key with the id {key_id!r}; `sixty key list` shows them")
    return ApiKey(**row)


async def _held(transaction: Transaction, user: User) -> Sequence[str]:
    return [row["permission"] for row in await transaction.rows(_GRANTS_OF, {"wanted": user.id})]


async def _refuse_taken_subject(transaction: Transaction, subject: str) -> None:
    """`Conflict` if the subject is somebody's, or is the id of a user.

    A token that was minted here names its user by id, and the subject is looked up first: an identity provider
    that gave out our ids as subjects would otherwise receive other people's calls.
    """
    ids = {row["id"] for row in await transaction.rows(_EMAILS_AND_IDS)}
    if subject in ids or await transaction.row(_USER_WITH_SUBJECT, {"wanted": subject}) is not None:
        raise Conflict("there is already a user with this subject", field="subject", given=subject)


def _known_grant(permission: str, known: Iterable[str]) -> Grant:
    grant = Grant.parse(permission)
    pairs = {tuple(name.split(":")) for name in known}
    resources, actions = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    if grant.resource != "*" and grant.resource not in resources:
        raise Invalid(
            f"no pack has a resource {grant.resource!r}{nearest(grant.resource, resources)}",
            field="permission",
            given=permission,
            allowed=sorted(resources),
        )
    offered = actions if grant.resource == "*" else {pair[1] for pair in pairs if pair[0] == grant.resource}
    if grant.action != "*" and grant.action not in offered:
        raise Invalid(
            f"{grant.resource} has no action {grant.action!r}{nearest(grant.action, offered)}",
            field="permission",
            given=permission,
            allowed=sorted(offered),
        )
    return grant


def _role(role: str) -> Role:
    if role not in ROLES:
        raise Invalid(
            f"role must be one of {', '.join(ROLES)}, got {role!r}", field="role", given=role, allowed=list(ROLES)
        )
    return role


def _email(email: str) -> str:
    email = email.strip().lower()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise Invalid(f"email must be an address such as ada@example.com, got {email[:80]!r}", field="email")
    return email


def _filled(field: str, value: str) -> str:
    value = value.strip()
    if not _LINE.fullmatch(value):
        raise Invalid(f"{field} must be one line of 1 to 255 characters, got {value[:80]!r}", field=field)
    return value
