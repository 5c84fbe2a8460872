"""Who is in the organisation and what each may do, as one immutable snapshot that is swapped whole.

Nothing here changes anybody: that is `people.py`, which raises the counter that `Identity` watches.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.counters import COUNTERS, counters_in
from sixty.errors import Invalid
from sixty.permissions import Grant, Role, Scope, scope_of
from sixty.tables import api_keys, grants, teams, users
from sixty.webhooks.subscriptions import ALL, Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sixty.counters import Counters
    from sixty.storage.database import Database, Reader
    from sixty.storage.statements import Row

__all__ = ["ApiKey", "Directory", "Identity", "Principal", "Team", "User", "load_directory"]

_logger = logging.getLogger(__name__)

_USERS = sa.select(users).order_by(users.c.email)
_TEAMS = sa.select(teams).order_by(teams.c.name)
_GRANTS = sa.select(grants).order_by(grants.c.user_id, grants.c.permission)
_KEYS = sa.select(api_keys).where(api_keys.c.revoked_at.is_(None)).order_by(api_keys.c.created_at, api_keys.c.id)


@dataclass(frozen=True, slots=True)
class Team:
    """A team. Its members are the users that name it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class User:
    """A person or an agent with an account, disabled ones too."""

    id: str
    email: str
    name: str
    role: Role
    team_id: str | None
    subject: str | None
    """The `sub` of this user's tokens from an identity provider."""
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that is not revoked. The secret itself is kept nowhere, only its hash."""

    id: str
    user_id: str
    name: str
    hash: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a call, and what they may do right now."""

    user_id: str
    email: str
    name: str
    role: Role
    team_id: str | None
    grants: tuple[Grant, ...]
    """Those of the role, and the user's own."""
    _scopes: dict[str, Scope] = field(default_factory=dict, init=False, repr=False, compare=False)

    def scope(self, permission: str) -> Scope:
        """All scopes held for `permission`, written `resource:action`, added up."""
        scope = self._scopes.get(permission)
        if scope is None:
            scope = self._scopes[permission] = scope_of(self.grants, permission)
        return scope

    def may(self, permission: str) -> bool:
        """Whether `permission` is held in any scope."""
        return bool(self.scope(permission))


@dataclass(frozen=True, eq=False)
class Directory:
    """Users, teams, grants, API keys and webhooks as they were at `version`."""

    version: int
    users: Mapping[str, User]
    """By id, in the order of their e-mail addresses."""
    teams: Mapping[str, Team]
    """By id, in the order of their names."""
    own_grants: Mapping[str, tuple[Grant, ...]]
    """What single users hold beyond their role, by user id."""
    role_grants: Mapping[Role, tuple[Grant, ...]]
    keys: Mapping[str, ApiKey]
    """By the hash of the secret, oldest first. Revoked ones are not here."""
    webhooks: Mapping[str, Webhook]
    """By id, oldest first; disabled ones too."""
    _principals: dict[str, Principal] = field(default_factory=dict, init=False, repr=False)
    _waiting: dict[str, tuple[Webhook, ...]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def users_by_email(self) -> Mapping[str, User]:
        """Every user, by address in lower case."""
        return {user.email: user for user in self.users.values()}

    @cached_property
    def users_by_subject(self) -> Mapping[str, User]:
        """The users of an identity provider, by subject."""
        return {user.subject: user for user in self.users.values() if user.subject is not None}

    def principal(self, user_id: str) -> Principal | None:
        """What a user may do, or None if there is no such user or the account is disabled."""
        principal = self._principals.get(user_id)
        if principal is None:
            user = self.users.get(user_id)
            if user is None or user.disabled_at is not None:
                return None
            held = (*self.role_grants.get(user.role, ()), *self.own_grants.get(user_id, ()))
            principal = Principal(user.id, user.email, user.name, user.role, user.team_id, held)
            self._principals[user_id] = principal
        return principal

    def waiting_for(self, event: str) -> tuple[Webhook, ...]:
        """The active webhooks that are to be told of an event of that name, oldest first."""
        waiting = self._waiting.get(event)
        if waiting is None:
            waiting = tuple(webhook for webhook in self.webhooks.values() if webhook.wants(event))
            self._waiting[event] = waiting
        return waiting

    def team_of(self, user_id: str | None) -> str | None:
        """The id of a user's team today, or None."""
        user = self.users.get(user_id) if user_id is not None else None
        return user.team_id if user is not None else None

    def name_of(self, user_id: str | None) -> str | None:
        """The name of a user, disabled ones too, or None if there is no such user."""
        user = self.users.get(user_id) if user_id is not None else None
        return user.name if user is not None else None


async def load_directory(reader: Reader, role_grants: Mapping[Role, tuple[Grant, ...]]) -> Directory:
    """The directory as `reader` sees it. `Unavailable` before the first migration has run."""
    return await _load(reader, counters_in(await reader.rows(COUNTERS)).identity, role_grants)


async def _load(reader: Reader, version: int, role_grants: Mapping[Role, tuple[Grant, ...]]) -> Directory:
    held: dict[str, tuple[Grant, ...]] = {}
    for row in await reader.rows(_GRANTS):
        held[row["user_id"]] = held.get(row["user_id"], ()) + _grant(row)
    return Directory(
        version=version,
        users={row["id"]: User(**row) for row in await reader.rows(_USERS)},
        teams={row["id"]: Team(**row) for row in await reader.rows(_TEAMS)},
        own_grants=held,
        role_grants=role_grants,
        keys={row["hash"]: ApiKey(**row) for row in await reader.rows(_KEYS)},
        webhooks={row["id"]: Webhook.of(row) for row in await reader.rows(ALL)},
    )


def _grant(row: Row) -> tuple[Grant, ...]:
    """The grant of a row, or nothing where somebody has edited the table into something that is none."""
    try:
        return (Grant.parse(row["permission"]),)
    except Invalid as error:
        _logger.warning("a grant of user %s is without effect: %s", row["user_id"], error)
        return ()


class Identity:
    """The directory of this moment: one indexed read each time, and a reload when somebody has changed it.

    So a new key, a revoked one, or a changed role or grant counts from the next call on, in every process.
    """

    def __init__(self, database: Database, role_grants: Callable[[], Mapping[Role, tuple[Grant, ...]]]) -> None:
        """`role_grants` is asked each time: what it gives changes when packs come and go."""
        self.database = database
        self._role_grants = role_grants
        self._directory: Directory | None = None
        self._loading = asyncio.Lock()
        self.packs = 0
        """The highest counter of packs that was seen on the way."""

    @property
    def latest(self) -> Directory:
        """The directory as it was last read: for what follows an authentication in the same call."""
        if self._directory is None:
            msg = "the directory has not been read yet"
            raise LookupError(msg)
        return self._directory

    async def directory(self, reader: Reader | None = None) -> Directory:
        """The directory, at least as new as what `reader` sees; without one, as new as the database."""
        found = await (reader.rows(COUNTERS) if reader is not None else self.database.shared(COUNTERS))
        counters, role_grants = counters_in(found), self._role_grants()
        self.notice(counters)
        version = counters.identity
        if (known := self._known(version, role_grants)) is not None:
            return known
        if reader is None:
            async with self.database.snapshot() as snapshot:
                return await self.directory(snapshot)
        async with self._loading:  # of many callers that see the change at once, one loads
            if (known := self._known(version, role_grants)) is not None:
                return known
            self._directory = await _load(reader, version, role_grants)
            return self._directory

    def is_current(self, principal: Principal) -> bool:
        """Whether the directory as it was last read, and the packs of this moment, make the same of this user."""
        known = self._directory
        return (
            known is not None
            and known.role_grants == self._role_grants()
            and known.principal(principal.user_id) is principal
        )

    def notice(self, counters: Counters) -> None:
        """Somebody has read the counters."""
        self.packs = max(self.packs, counters.packs)

    def _known(self, version: int, role_grants: Mapping[Role, tuple[Grant, ...]]) -> Directory | None:
        known = self._directory
        if known is not None and known.version >= version and known.role_grants == role_grants:
            return known
        return None
