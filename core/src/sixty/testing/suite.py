"""What every pack must pass. A pack's tests derive a class from `PluginSuite` and say which module it is.

Each test says, when it fails, what the rule is and how to keep it. Those that call no tool are in `declared.py`.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from sixty.permissions import ROLES
from sixty.signals.metrics import Gauge
from sixty.testing.declared import BYTES, DeclaredRules
from sixty.testing.inspection import differences, in_database
from sixty.testing.organisation import open_organisation
from sixty.testing.rules import rule
from sixty.testing.scopes import check_scopes
from sixty.testing.serving import Serving
from sixty.testing.serving import serving as serve
from sixty.testing.strategies import arguments, junk_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sixty.registry import Pack
    from sixty.testing.declared import Plugins

__all__ = ["BYTES", "PluginSuite"]

ROUNDS = 20
"""How often a pack is loaded and unloaded in a row."""
WARM_UP = 5
"""Rounds after which everything that is kept on purpose, such as compiled statements, is there."""
KEPT = 16 * 1024
"""Bytes that may be left of each round after that, on average."""


class PluginSuite(DeclaredRules):
    """The tests. Derive `class TestDeals(PluginSuite)` with `plugin = "sixty_deals.plugin"`."""

    @pytest.fixture
    def serving(self, database_url: str, plugins: Plugins, environ: Mapping[str, str]) -> Iterator[Serving]:
        """The pack, served in an organisation with somebody in each role."""
        with serve(database_url, plugins, environ, self._name(), self.examples) as served:
            yield served

    @rule(
        "Allowed arguments are served or refused, and each effect is true",
        why="Clients call what only reads without asking, and ask people before a tool that destroys.",
        mend="Declare the effect that the tool has; raise one of the errors of `sixty` for what a caller did wrong.",
    )
    def test_allowed_arguments_are_served_or_refused_and_effects_are_true(self, serving: Serving) -> None:
        call = st.sampled_from(serving.tools).flatmap(
            lambda tool: st.tuples(st.just(tool), arguments(tool.input_schema), st.sampled_from(ROLES))
        )
        serving.check(st.lists(call, min_size=1, max_size=4))
        serving.run(serving.check_spine())

    @rule(
        "Junk arguments are refused by an error that says what is wrong",
        why="An agent that is told what was wrong tries again, and better; `internal` tells it nothing.",
        mend="Narrow the types of the arguments, or raise `Invalid` with the value and the rule.",
    )
    def test_junk_arguments_are_refused_by_a_typed_error(self, serving: Serving) -> None:
        call = st.sampled_from(serving.tools).flatmap(
            lambda tool: st.tuples(st.just(tool), junk_arguments(tool.input_schema), st.sampled_from(ROLES))
        )
        serving.check(st.lists(call, min_size=1, max_size=4))

    @rule(
        "What one may not read or change is neither shown nor changed",
        why="A team's records are shown to another team's agents only where a grant says so.",
        mend="Read by `call.records` and `call.rows`, write by `call.records`: they know the scope of each caller.",
    )
    def test_scope_is_kept(self, serving: Serving) -> None:
        serving.run(check_scopes(serving))

    @rule(
        "Undoing what was created leaves nothing",
        why="undo_change is how people take back what an agent did.",
        mend="Write through `call.records` alone, details too; or give the tool the effect that it has.",
    )
    def test_undoing_what_was_created_leaves_nothing(self, serving: Serving) -> None:
        serving.run(serving.check_undone())

    @rule(
        "Its gauges can be asked",
        why="A gauge that fails is a line in the log of somebody else's server, and one of many rows is many series.",
        mend="Let the select aggregate, and give a number as `value`; it is run without values for parameters.",
    )
    def test_its_gauges_can_be_asked(self, serving: Serving) -> None:
        if gauges := [metric for metric in serving.pack.metrics if isinstance(metric, Gauge)]:
            serving.run(serving.check_gauges(gauges))

    @rule(
        "Its tables go and come back",
        why="Packs come and go while others stay, in one database.",
        mend="Let each `downgrade` drop what its `upgrade` makes.",
    )
    def test_its_tables_go_and_come_back(self, database_url: str, pack: Pack) -> None:
        from sixty.storage.alembic import downgrade_pack, upgrade_packs  # noqa: PLC0415 - as above

        async def migrate() -> None:
            for _ in range(2):
                await downgrade_pack(database_url, pack)
                left = await in_database(database_url, lambda it: sa.inspect(it).get_table_names())
                own = set(pack.tables.metadata.tables) & set(left) if pack.tables else set()
                assert not own, f"the downgrades of its migrations leave tables behind: {sorted(own)}"
                assert await upgrade_packs(database_url, [pack]) == {}

        asyncio.run(migrate())

    @rule(
        "Its migrations make what it declares",
        why="Statements are made from the tables as declared, and run on the tables as migrated.",
        mend="Add a revision to its folder of migrations that makes up the difference.",
    )
    def test_its_migrations_make_what_it_declares(self, database_url: str, pack: Pack) -> None:
        if pack.tables is None:
            pytest.skip("it has no tables")
        metadata = pack.tables.metadata
        differing = asyncio.run(in_database(database_url, lambda it: differences(it, metadata)))
        assert not differing, f"the tables as migrated are not the tables as declared: {differing}"

    @rule(
        "It comes and goes without leftovers",
        why="Packs are enabled and disabled while the server runs, for months.",
        mend="Release in `sixty_stopping` what `sixty_started` acquired; keep nothing in globals.",
    )
    def test_it_comes_and_goes_without_leftovers(
        self, database_url: str, plugins: Plugins, environ: Mapping[str, str]
    ) -> None:
        async def round_trip() -> tuple[int, tuple[str, ...]]:
            async with open_organisation(database_url, plugins, environ=environ) as organisation:
                shown = tuple(organisation.host.registry.tools)
            return len(asyncio.all_tasks()), shown

        async def rounds(count: int) -> set[tuple[int, tuple[str, ...]]]:
            return {await round_trip() for _ in range(count)}

        threads = threading.active_count()
        tracemalloc.start()
        try:
            with asyncio.Runner() as runner:
                seen = runner.run(rounds(WARM_UP))
                before = _allocated()
                seen |= runner.run(rounds(ROUNDS - WARM_UP))
                kept = (_allocated() - before) // (ROUNDS - WARM_UP)
        finally:
            tracemalloc.stop()
        assert len(seen) == 1, "each time that it is loaded it must declare the same tools and leave no task running"
        assert threading.active_count() <= threads, "it leaves threads running; end them in sixty_stopping"
        assert kept <= KEPT, f"each time that it is loaded it keeps {kept} bytes, and may keep {KEPT}"


def _allocated() -> int:
    """Bytes that Python has allocated and still needs."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
