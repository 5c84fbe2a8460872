"""An opened organisation and the people in it, who call tools the way every transport does."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import errors
from sixty.call import call_tool
from sixty.config import load_settings
from sixty.conversation import settled
from sixty.counters import raising
from sixty.host import Host
from sixty.ids import new_id
from sixty.people import add_team, add_user
from sixty.permissions import ROLES
from sixty.request import Request
from sixty.storage.statements import Write
from sixty.tables import teams, users
from sixty.testing.clock import Clock
from sixty.testing.person import Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from mcp.client import Client as McpClient

    from sixty.conversation import InputRequired, Replies
    from sixty.directory import Principal
    from sixty.outcome import Outcome
    from sixty.permissions import Role
    from sixty.storage.statements import Row, Statement

__all__ = ["TEAM", "Client", "InternalError", "Organisation", "open_organisation"]

TEAM = "North"
"""The team of the three that are there from the start."""
QUIET = {"SIXTY_RATE_STANDARD": "off", "SIXTY_RATE_STRICT": "off", "SIXTY_RATE_BULK": "off"}
"""Settings of a test that is not about rate limits."""

_STARTERS = {"user": "Uma User", "manager": "Max Manager", "admin": "Ada Admin"}


class InternalError(AssertionError):
    """A tool answered `internal`: it has a bug. The log has the traceback."""


@dataclass(frozen=True)
class Client:
    """Somebody who calls tools. Their role and grants are looked up on each call, as everywhere."""

    organisation: Organisation
    user_id: str
    idempotency_key: str | None = None
    person: Person | None = None
    """Who answers what `interactive` tools ask; None: nobody can be asked."""

    def answering(self, **content: Any) -> Client:
        """The same person, who accepts what tools ask; forms get `content`, or else the plainest that fits."""
        return replace(self, person=Person(content or None))

    def keyed(self, idempotency_key: str) -> Client:
        """The same person, whose calls carry this idempotency key."""
        return replace(self, idempotency_key=idempotency_key)

    async def principal(self) -> Principal:
        """Who they are and what they may do now."""
        directory = await self.organisation.host.identity.directory()
        principal = directory.principal(self.user_id)
        if principal is None:
            raise errors.Unauthenticated("the account is disabled")
        return principal

    async def outcome(self, tool: str, /, **arguments: Any) -> Outcome:
        """The answer as it is, be it an error. A result must fit the tool's output schema."""
        host = self.organisation.host
        request = Request(
            tool=tool,
            arguments=arguments,
            principal=await self.principal(),
            transport="test",
            idempotency_key=self.idempotency_key,
            channel=self.person,
        )
        schema = found.output_schema if (found := host.registry.tools.get(tool)) is not None else None

        async def run(replies: Replies) -> Outcome:
            return await call_tool(host, replace(request, replies=replies))

        outcome = await settled(run, self._answers)
        if not outcome.is_error and schema is not None:
            self.organisation.check_fits(tool, schema, outcome.structured)
        return outcome

    async def _answers(self, needed: InputRequired) -> dict[str, Any]:
        if self.person is None:  # nobody can be asked, which the handler was told
            raise needed
        return {key: self.person.answer(request) for key, request in needed.requests.items()}

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The result. An error is raised by its class: `Invalid`, `Forbidden`, `NotFound` and so on.

        `InternalError` for a bug in the tool.
        """
        outcome = await self.outcome(tool, **arguments)
        if outcome.is_error:
            answer = outcome.structured["error"]
            unknown = InternalError(f"{tool} failed with an error that is not in the tree: {answer['message']}")
            raise errors.raised(answer) or unknown
        return outcome.structured

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[McpClient]:
        """The official MCP client, connected in memory, acting for them; `options` are its own, such as `mode`."""
        from mcp.client import Client as McpClient  # noqa: PLC0415 - half of the SDK, and rarely needed

        from sixty.server.caller import CALLER, Caller  # noqa: PLC0415 - as above
        from sixty.server.mcp import SixtyServer  # noqa: PLC0415 - as above

        before = CALLER.set(Caller(principal=await self.principal()))
        try:
            async with McpClient(SixtyServer(self.organisation.host), **options) as client:
                yield client
        finally:
            CALLER.reset(before)

    async def tools(self) -> list[str]:
        """The names of the tools that they are shown."""
        return [tool.name for tool in self.organisation.host.registry.visible("tool", await self.principal())]


class Organisation:
    """A served organisation: three people in the team `North`, one of each role, and whoever is added."""

    def __init__(self, host: Host, clock: Clock, starters: Mapping[Role, str]) -> None:
        self.host = host
        self.clock = clock
        self._starters = starters
        self._validators: dict[int, Any] = {}

    def as_role(self, role: Role) -> Client:
        """The one who has been there from the start in the role `user`, `manager` or `admin`."""
        return Client(self, self._starters[role])

    async def user(self, name: str, *, role: Role = "user", team: str | None = None) -> Client:
        """Somebody new, in the team of that name, which is made when it is missing; None: in no team."""
        if team is not None and team not in {known.name for known in (await self.directory()).teams.values()}:
            await add_team(self.host.database, team)
        address = f"{name.lower().replace(' ', '.')}@example.com"
        user = await add_user(self.host.database, email=address, name=name, role=role, team=team, now=self.clock())
        return Client(self, user.id)

    async def work(self) -> list[str]:
        """Do the jobs that are due, and what they lead to, until none is; their names, one for each try.

        What is to be tried again, or only later, falls due when the clock is advanced.
        """
        return await self.host.worker.drain()

    async def directory(self) -> Any:
        """Everybody, as of now."""
        return await self.host.identity.directory()

    async def rows(self, statement: Statement, values: Mapping[str, Any] | None = None) -> list[Row]:
        """What is in the database, whoever may read it: for looking behind the scenes."""
        async with self.host.database.snapshot() as reader:
            return await reader.rows(statement, values or {})

    async def count(self, table: sa.Table) -> int:
        """How many rows a table has."""
        return int((await self.rows(sa.select(sa.func.count().label("n")).select_from(table)))[0]["n"])

    def check_fits(self, tool: str, schema: Mapping[str, Any], structured: Mapping[str, Any]) -> None:
        """Raise `AssertionError` unless a result fits the output schema that its tool declares."""
        validator = self._validators.get(id(schema))
        if validator is None:
            from jsonschema import Draft202012Validator  # noqa: PLC0415 - only who calls a tool needs it

            validator = self._validators[id(schema)] = Draft202012Validator(schema)
        problem = next(validator.iter_errors(structured), None)
        if problem is not None:
            where = "/".join(str(part) for part in problem.absolute_path) or "the result"
            msg = f"{tool} does not keep to its own output schema: {where}: {problem.message}"
            raise AssertionError(msg)


@asynccontextmanager
async def open_organisation(
    database_url: str,
    plugins: Iterable[tuple[str, object]] | None = None,
    *,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Organisation]:
    """An organisation served in this process, with the named plugins or, without any, the installed ones.

    `environ` are settings as the environment has them, such as `SIXTY_TIMEZONE`. Rate limits are off unless set.
    """
    clock = clock or Clock()
    given = {**QUIET, **(environ or {})}
    settings = load_settings(given, database_url=database_url)
    named = None if plugins is None else list(plugins)
    async with Host.open(settings, environ=given, plugins=named, clock=clock) as host:
        starters = await _starters(host, clock)
        yield Organisation(host, clock, starters)


async def _starters(host: Host, clock: Clock) -> dict[Role, str]:
    """The id of somebody in each role; made, all at once, in an organisation that does not have them yet."""
    directory = await host.identity.directory()
    addresses = {role: f"{_STARTERS[role].lower().replace(' ', '.')}@example.com" for role in ROLES}
    known = {role: directory.users_by_email.get(address) for role, address in addresses.items()}
    if all(known.values()):
        return {role: user.id for role, user in known.items() if user is not None}
    team_id, ids = new_id(), {role: new_id() for role in ROLES}
    writes = [Write(sa.insert(teams), {"id": team_id, "name": TEAM})]
    for role in ROLES:
        row = {"id": ids[role], "email": addresses[role], "name": _STARTERS[role], "role": role, "team_id": team_id}
        writes.append(Write(sa.insert(users), {**row, "created_at": clock()}))
    writes.append(Write(raising("identity"), {}))
    await host.database.apply(writes)
    await host.identity.directory()
    return ids
