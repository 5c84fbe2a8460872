"""A served pack, and what can be asked of it from outside a loop: the working part of the suite."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from sixty.errors import NotFound, SixtyError
from sixty.kinds import SPINE
from sixty.tables import changes, records
from sixty.testing.organisation import Organisation, open_organisation
from sixty.testing.strategies import minimal, resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from sixty.permissions import Role
    from sixty.registry import Pack
    from sixty.signals.metrics import Gauge
    from sixty.testing.organisation import Client
    from sixty.tools import Tool

__all__ = ["Serving", "serving"]

QUOTED = 300
"""Characters of arguments that a message quotes."""

SERIES = 100
"""Rows of a gauge at the most: each is a series, which whoever reads the metrics keeps for months."""

_GENTLY = settings(
    max_examples=40,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,  # a report says one thing at a time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@dataclass(frozen=True, slots=True)
class _Made:
    """What one call of a tool has created."""

    tool: Tool
    change_id: str | None
    ids: list[str]


@dataclass
class Serving:
    """A served pack, and what can be asked of it from outside a loop."""

    organisation: Organisation
    pack: Pack
    examples: Mapping[str, Mapping[str, Any]]
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    _made: dict[str, _Made] = field(default_factory=dict)

    @property
    def tools(self) -> list[Tool]:
        """The tools of the pack that are offered."""
        offered = self.organisation.host.registry.tools
        tools = [tool for tool in self.pack.tools if tool.name in offered]
        if not tools:
            pytest.skip("the pack offers no tools here")
        return tools

    def person(self, role: Role) -> Client:
        """Somebody in a role, who accepts what is asked and fills in forms as plainly as they allow."""
        return self.organisation.as_role(role).answering()

    def check(self, calls: SearchStrategy[list[tuple[Tool, Any, Role]]]) -> None:
        """No calls at all end in a bug, and each keeps what its tool's effect promises."""

        @_GENTLY
        @given(calls)
        def never(series: list[tuple[Tool, Any, Role]]) -> None:
            self.run(self._check_series(series))

        never()

    async def _check_series(self, series: list[tuple[Tool, Any, Role]]) -> None:
        ids = await self.seed()
        for tool, made_up, role in series:
            before = await self._sizes() if tool.effect == "read" else None
            outcome = await self.person(role).outcome(tool.name, **resolved(made_up, ids))
            if outcome.is_error:
                error = outcome.structured["error"]
                assert error["code"] in _codes(SixtyError), (
                    f"{tool.name} failed with {error['code']!r}, called with {_short(resolved(made_up, ids))} by a "
                    f"{role}: a caller's mistake must be one of the errors of sixty; the log has the traceback"
                )
            elif before is not None:
                assert await self._sizes() == before, f"{tool.name} has the effect read, and has written"
            else:
                ids += await self._written(tool, outcome.structured.get("change_id"))

    async def seed(self, client: Client | None = None) -> list[str]:
        """Records made by every tool that creates some; their ids. A tool that will not do so again gives its last.

        They are an admin's, or `client`'s as far as they may make some.
        """
        self._made |= {made.tool.name: made for made in await self._make(client)}
        return [record_id for made in self._made.values() for record_id in made.ids]

    async def _make(self, client: Client | None = None) -> list[_Made]:
        """What every tool that creates has made, as far as it is served its example."""
        client = client or self.person("admin")
        made: list[_Made] = []
        waiting = [tool for tool in self.tools if tool.effect == "create"]
        for _ in range(2):  # one may need what a later one makes
            for tool in list(waiting):
                ids = [record_id for item in made for record_id in item.ids]
                outcome = await client.outcome(tool.name, **self.example(tool, ids))
                if not outcome.is_error:
                    change = outcome.structured.get("change_id")
                    made.append(_Made(tool, change, await self._written(tool, change)))
                    waiting.remove(tool)
        return made

    def example(self, tool: Tool, ids: Sequence[str]) -> dict[str, Any]:
        """Arguments with which an admin may call a tool."""
        given = self.examples.get(tool.name)
        plain: dict[str, Any] = dict(given) if given is not None else minimal(tool.input_schema, ids)
        return resolved(plain, ids)  # type: ignore[no-any-return]

    async def check_undone(self) -> None:
        """What every tool has created is nowhere to be found once it is undone."""
        admin, before = self.person("admin"), await self._sizes()
        made = await self._make()
        for tool in self.tools:
            assert tool.effect != "create" or tool in [item.tool for item in made], (
                f"an admin is refused {tool.name} with {self.example(tool, [])}: "
                f"give arguments that are served, `examples = {{{tool.name!r}: {{…}}}}`"
            )
        for item in reversed(made):
            assert item.change_id is not None, f"{item.tool.name} has the effect create, and its example wrote nothing"
            await admin.call("undo_change", change_id=item.change_id)
            for record_id in item.ids:
                with pytest.raises(NotFound):
                    await admin.call("get_record", id=record_id)
        after = await self._sizes()
        left = [name for name in before if name not in ("changes", "records") and before[name] != after[name]]
        assert not left, f"undoing what was created leaves rows in {left}: write them through call.records alone"

    async def check_spine(self) -> None:
        """Every row of a kind says the same as the spine, and is there exactly while its record is."""
        for kind in self.pack.kinds:
            shared = [kind.table.c[name].label(f"own_{name}") for name in SPINE]
            rows = await self.organisation.rows(
                sa.select(records, *shared)
                .select_from(records.outerjoin(kind.table, kind.table.c.id == records.c.id))
                .where(records.c.kind == kind.name)
            )
            for row in rows:
                if row["deleted_at"] is not None:
                    assert row["own_id"] is None, f"{kind.table.name} has a row of a deleted record"
                    continue
                differing = [name for name in SPINE if row[name] != row[f"own_{name}"]]
                assert not differing, (
                    f"{kind.table.name} and the spine differ in {differing}: only call.records may write these columns"
                )

    async def check_gauges(self, gauges: Sequence[Gauge]) -> None:
        """Every gauge gives numbers, and few rows, of an empty database and of one that has something."""
        for _ in range(2):
            for gauge in gauges:
                rows = await self.organisation.host.database.rows(gauge.select)
                assert len(rows) <= SERIES, f"the gauge {gauge.name} gives {len(rows)} rows"
                for row in rows:
                    given = row["value"]
                    is_number = isinstance(given, int | float | Decimal | None)
                    assert is_number, f"the gauge {gauge.name} gives {given!r} as its value"
            await self._make()

    async def _written(self, tool: Tool, change_id: str | None) -> list[str]:
        """The records that a call has written."""
        if change_id is None:
            return []
        rows = await self.organisation.rows(sa.select(changes).where(changes.c.call_id == change_id))
        kinds = {kind.table.name for kind in self.pack.kinds}
        lost = [row["record_id"] for row in rows if row["op"] == "delete" and row["table_name"] in kinds]
        assert tool.effect == "destroy" or not lost, (
            f"{tool.name} has the effect {tool.effect}, and deleted a record: clients ask people before a tool "
            "that destroys, so it has to say so"
        )
        return list(dict.fromkeys(row["record_id"] for row in rows if row["record_id"] not in lost))

    async def _sizes(self) -> dict[str, int]:
        tables = [changes, records, *(self.pack.tables.metadata.sorted_tables if self.pack.tables else ())]
        return {table.name: await self.organisation.count(table) for table in tables}


@contextmanager
def serving(
    database_url: str,
    plugins: Sequence[tuple[str, object]],
    environ: Mapping[str, str],
    name: str,
    examples: Mapping[str, Mapping[str, Any]],
) -> Iterator[Serving]:
    """The pack called `name`, served in an organisation with somebody in each role."""
    with asyncio.Runner() as runner:
        opened = open_organisation(database_url, plugins, environ=environ)
        organisation = runner.run(_entered(opened))
        try:
            pack = organisation.host.pack(name)
            assert pack is not None, f"{name} is quarantined: {organisation.host.registry.quarantined[name]}"
            yield Serving(organisation, pack, examples, runner.run)
        finally:
            runner.run(_left(opened))


async def _entered(opened: Any) -> Organisation:
    organisation: Organisation = await opened.__aenter__()
    return organisation


async def _left(opened: Any) -> None:
    await opened.__aexit__(None, None, None)


def _codes(error: type[SixtyError]) -> set[str]:
    return {code for child in error.__subclasses__() for code in (child.code, *_codes(child))}


def _short(value: Any) -> str:
    """A value as a message quotes it."""
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
