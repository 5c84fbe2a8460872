"""Whether a pack keeps to scope: what one user made is neither shown to, nor changed by, somebody it is not meant for.

An admin makes records with every tool that creates; a user of another team then tries every tool on them. What their
grants reach is theirs to see and change; the rest must be to them as if it were not there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.permissions import reaches
from sixty.tables import changes
from sixty.testing.strategies import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sixty.directory import Directory, Principal
    from sixty.kinds import Kind
    from sixty.storage.statements import Row
    from sixty.testing.organisation import Client
    from sixty.testing.serving import Serving
    from sixty.tools import Tool

__all__ = ["check_scopes"]

TEAM = "Elsewhere"
"""The team of the one who tries."""


async def check_scopes(serving: Serving) -> None:
    """Nothing that a user of another team may not read or change is shown to them or changed by them."""
    stranger = (await serving.organisation.user("Sue Stranger", team=TEAM)).answering()
    own = await serving.seed(stranger)
    trial = _Trial(serving, stranger, await stranger.principal(), own)
    before = {tool.name: await trial.answer(tool, trial.plain(tool)) for tool in trial.tools if _repeats(tool)}
    foreign = [made for made in await serving.seed() if made not in own]
    if not foreign:
        pytest.skip("none of its tools creates a record")
    await trial.meet(foreign)
    for tool in trial.tools:
        if tool.name in before:
            await trial.attempt(tool, trial.plain(tool), None)
            answer = await trial.answer(tool, trial.plain(tool))
            assert answer == before[tool.name] or len(trial.hidden) < len(trial.foreign), (
                f"{tool.name} answers a user something else once there are records of another team, none of which "
                f"they may read: {answer.text}"
            )
    for tool in trial.tools:
        for arguments, used in trial.attempts(tool):
            await trial.attempt(tool, arguments, used)


def _repeats(tool: Tool) -> bool:
    return tool.effect == "read" and not tool.open_world


@dataclass
class _Answer:
    is_error: bool
    code: str | None
    text: str

    def instead(self, used: str) -> _Answer:
        """The answer with the id of nobody in the place of the one that was used."""
        return _Answer(self.is_error, self.code, self.text.replace(used, NOBODY))


class _Trial:
    """Somebody who tries tools on records of others."""

    def __init__(self, serving: Serving, stranger: Client, principal: Principal, own: list[str]) -> None:
        self.serving, self.principal = serving, principal
        self._stranger, self._own = stranger, own
        self.foreign: dict[str, tuple[Kind, Row]] = {}
        self.hidden: dict[str, str] = {}
        """The records that they may not read, by id, with their titles."""

    @property
    def tools(self) -> list[Tool]:
        """Those that they may call."""
        return [tool for tool in self.serving.tools if tool.permission is None or self.principal.may(tool.permission)]

    async def meet(self, foreign: list[str]) -> None:
        """Take note of the records of others."""
        self._directory: Directory = await self.serving.organisation.directory()
        for kind, row in await self._rows(foreign):
            self.foreign[row["id"]] = kind, row
            if not self._reaches(f"{kind.resource}:read", row):
                self.hidden[row["id"]] = str(row[kind.title])

    def plain(self, tool: Tool) -> dict[str, Any]:
        """The plainest arguments of a tool, about records of their own."""
        return self.serving.example(tool, self._own)

    def attempts(self, tool: Tool) -> Iterator[tuple[dict[str, Any], str | None]]:
        """Arguments that could bring a record of others to light, each with the id that is used in it."""
        plain = self.plain(tool)
        yield plain, None
        for name, schema in tool.input_schema.get("properties", {}).items():
            items = schema.get("items", {})
            if _is_id(name, schema):
                yield from (({**plain, name: record_id}, record_id) for record_id in self.foreign)
            elif schema.get("type") == "array" and _is_id(name.removesuffix("s"), items):
                yield from (({**plain, name: [record_id]}, record_id) for record_id in self.foreign)
            elif schema.get("type") == "string" and tool.effect == "read":
                yield from (({**plain, name: title}, None) for title in self.hidden.values())

    async def attempt(self, tool: Tool, arguments: dict[str, Any], used: str | None) -> None:
        """One call, which shows and changes nothing that it may not."""
        kept = {} if tool.effect == "read" else self._unwritable(tool)
        answer = await self.answer(tool, arguments)
        said = f"{tool.name}, called with {json.dumps(arguments)} by a user of another team,"
        for record_id in self.hidden:
            assert record_id == used or record_id not in answer.text, f"{said} shows {self._named(record_id)}"
        if used in self.hidden and answer.code != "internal":
            without = await self.answer(tool, json.loads(json.dumps(arguments).replace(used, NOBODY)))
            comparable = answer.is_error or tool.effect == "read"
            assert not comparable or answer.instead(used) == without, (
                f"{said} answers {answer.text}, and {without.text} about a record that is not there: "
                f"so it tells about {self._named(used)}"
            )
        for _, row in await self._rows(list(kept)):
            kept = {record: value for record, value in kept.items() if record != row["id"] or value != row}
        changed = [record for record in kept if not await self._is_automatic(record)]
        assert not changed, f"{said} changes {', '.join(self._named(record) for record in changed)}"

    async def answer(self, tool: Tool, arguments: Mapping[str, Any]) -> _Answer:
        """What they are told."""
        outcome = await self._stranger.outcome(tool.name, **arguments)
        error = outcome.structured["error"]["code"] if outcome.is_error else None
        return _Answer(outcome.is_error, error, json.dumps(outcome.structured, default=str, sort_keys=True))

    def _unwritable(self, tool: Tool) -> dict[str, Row]:
        """The records that a tool must leave as they are for them."""
        action = "delete" if tool.effect == "destroy" else "update"
        found: dict[str, Row] = {}
        for record_id, (kind, row) in self.foreign.items():
            own = tool.permission is not None and tool.permission.partition(":")[0] == kind.resource
            permission = tool.permission if own and tool.permission else f"{kind.resource}:{action}"
            if not self._reaches(permission, row):
                found[record_id] = row
        return found

    def _reaches(self, permission: str, row: Row) -> bool:
        me, owner = self.principal, row["owner_id"]
        return reaches(me.scope(permission), me.user_id, me.team_id, owner, self._directory.team_of(owner))

    def _named(self, record_id: str) -> str:
        kind, row = self.foreign[record_id]
        whose = self._directory.name_of(row["owner_id"]) or "nobody"
        return f'the {kind.name} "{row[kind.title]}" of {whose}'

    async def _rows(self, ids: list[str]) -> list[tuple[Kind, Row]]:
        """The rows of records, with their kinds."""
        found = []
        for kind in self.serving.organisation.host.registry.kinds.values():
            statement = sa.select(kind.table).where(kind.table.c.id.in_(ids))
            found += [(kind, row) for row in await self.serving.organisation.rows(statement)]
        return found

    async def _is_automatic(self, record_id: str) -> bool:
        """Whether a reaction has changed a record, under what its pack declares."""
        caused = sa.select(changes.c.seq).where(changes.c.record_id == record_id, changes.c.cause.is_not(None))
        return bool(await self.serving.organisation.rows(caused))


def _is_id(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether an argument is an id, as its schema says, or its name where the schema does not."""
    if schema.get("type") != "string":
        return False
    return schema.get("format") == "uuid" or name == "id" or name.endswith("_id")
