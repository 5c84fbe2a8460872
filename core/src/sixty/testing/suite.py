"""What every pack must pass. A pack's tests derive a class from `PluginSuite` and say which module it is.

Each test says, when it fails, what the rule is and how to keep it.
"""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from sixty.lifecycle import GROUP, load
from sixty.permissions import ROLES
from sixty.testing.inspection import differences, faults, imports, in_database, size, sources
from sixty.testing.organisation import open_organisation
from sixty.testing.serving import Serving
from sixty.testing.serving import serving as serve
from sixty.testing.strategies import arguments, junk_arguments, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from sixty.registry import Pack

__all__ = ["BYTES", "PluginSuite"]

BYTES = 900
"""Name, description and input schema of a tool, as JSON, on average at the most."""
ROUNDS = 20
"""How often a pack is loaded and unloaded in a row."""

Plugins = tuple[tuple[str, object], ...]


class PluginSuite:
    """The tests. Derive `class TestDeals(PluginSuite)` with `plugin = "sixty_deals.plugin"`."""

    plugin: ClassVar[str]
    """The module of the entry point."""
    name: ClassVar[str | None] = None
    """The name of the entry point; by default the one under which the module is installed."""
    companions: ClassVar[Plugins] = ()
    """Other plugins to serve beside it, as (name, module)."""
    examples: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    """Arguments with which an admin may call a tool, by its name, where the plainest ones do not do."""
    for_everybody: ClassVar[frozenset[str]] = frozenset()
    """Tools that need no permission of their own, because they ask for those of what they touch."""

    @pytest.fixture
    def plugins(self) -> Plugins:
        """The packs to serve: this one and its companions."""
        return ((self._name(), self._module()), *self.companions)

    @pytest.fixture
    def pack(self, environ: Mapping[str, str]) -> Pack:
        """What the plugin declares."""
        return load(self._name(), self._module(), environ)

    @pytest.fixture
    def serving(self, database_url: str, plugins: Plugins, environ: Mapping[str, str]) -> Iterator[Serving]:
        """The pack, served in an organisation with somebody in each role."""
        with serve(database_url, plugins, environ, self._name(), self.examples) as served:
            yield served

    def test_it_loads(self, database_url: str, plugins: Plugins, environ: Mapping[str, str]) -> None:
        async def reasons() -> dict[str, str]:
            async with open_organisation(database_url, plugins, environ=environ) as organisation:
                return dict(organisation.host.registry.quarantined)

        found = asyncio.run(reasons())
        assert not found, f"quarantined, and so without effect: {found}"

    def test_each_schema_is_valid_and_plain(self, pack: Pack) -> None:
        from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - half of the suite does without

        for tool in pack.tools:
            for which, schema in (("input", tool.input_schema), ("output", tool.output_schema or {"type": "object"})):
                where = f"the {which} schema of {tool.name}"
                try:
                    Draft202012Validator.check_schema(schema)
                except SchemaError as error:
                    pytest.fail(f"{where} is no JSON Schema of draft 2020-12: {error.message}")
                assert schema.get("type") == "object", f"{where} must have the type object, as MCP wants it"
                for fault in faults(schema):
                    pytest.fail(f"{where}: {fault}")

    def test_the_average_tool_is_small(self, pack: Pack) -> None:
        sizes = {tool.name: size(tool) for tool in pack.tools}
        average = sum(sizes.values()) / max(1, len(sizes))
        assert average <= BYTES, (
            f"name, description and input schema have {average:.0f} bytes on average, and may have {BYTES}: every "
            f"agent reads them all the time; shorten the largest: {sorted(sizes.items(), key=lambda it: -it[1])[:3]}"
        )

    def test_each_tool_asks_for_a_permission(self, pack: Pack) -> None:
        open_to_all = {tool.name for tool in pack.tools if tool.permission is None}
        assert open_to_all == self.for_everybody, (
            "a tool without a permission is for everybody: give it one, or name it in `for_everybody` if it asks for "
            "the permissions of the records that it touches"
        )

    def test_each_permission_has_a_sentence(self, pack: Pack) -> None:
        declared = {
            f"{item.resource}:{action}": text for item in pack.permissions for action, text in item.actions.items()
        }
        mute = sorted(name for name, text in declared.items() if len(text.split()) < 2)
        assert not mute, f"say in a sentence what these permissions allow, for whoever grants them: {mute}"

    def test_each_example_is_allowed_by_its_schema(self, pack: Pack) -> None:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - as above

        schemas = {tool.name: tool.input_schema for tool in pack.tools}
        unknown = set(self.examples) - set(schemas)
        assert not unknown, f"`examples` has arguments for tools that there are not: {sorted(unknown)}"
        for name, schema in schemas.items():
            if (example := self.examples.get(name)) is not None:
                Draft202012Validator(schema).validate(resolved(dict(example), ()))
            for field_name, content in schema.get("properties", {}).items():
                for value in content.get("examples", ()):
                    problem = next(Draft202012Validator(content).iter_errors(value), None)
                    assert problem is None, f"{name}: the example {value!r} of {field_name} is not allowed: {problem}"

    def test_allowed_arguments_are_served_or_refused_and_effects_are_true(self, serving: Serving) -> None:
        call = st.sampled_from(serving.tools).flatmap(
            lambda tool: st.tuples(st.just(tool), arguments(tool.input_schema), st.sampled_from(ROLES))
        )
        serving.check(st.lists(call, min_size=1, max_size=4))
        serving.run(serving.check_spine())

    def test_junk_arguments_are_refused_by_a_typed_error(self, serving: Serving) -> None:
        call = st.sampled_from(serving.tools).flatmap(
            lambda tool: st.tuples(st.just(tool), junk_arguments(tool.input_schema), st.sampled_from(ROLES))
        )
        serving.check(st.lists(call, min_size=1, max_size=4))

    def test_undoing_what_was_created_leaves_nothing(self, serving: Serving) -> None:
        serving.run(serving.check_undone())

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

    def test_its_migrations_make_what_it_declares(self, database_url: str, pack: Pack) -> None:
        if pack.tables is None:
            return
        metadata = pack.tables.metadata
        differing = asyncio.run(in_database(database_url, lambda it: differences(it, metadata)))
        assert not differing, f"the tables as migrated are not the tables as declared; add a revision: {differing}"

    def test_it_comes_and_goes_without_leftovers(
        self, database_url: str, plugins: Plugins, environ: Mapping[str, str]
    ) -> None:
        async def round_trip() -> tuple[int, list[str]]:
            async with open_organisation(database_url, plugins, environ=environ) as organisation:
                shown = list(organisation.host.registry.tools)
            return len(asyncio.all_tasks()), shown

        async def rounds() -> set[tuple[int, tuple[str, ...]]]:
            return {(tasks, tuple(shown)) for tasks, shown in [await round_trip() for _ in range(ROUNDS)]}

        threads = threading.active_count()
        seen = asyncio.run(rounds())
        assert len(seen) == 1, "each time that it is loaded it must declare the same tools and leave no task running"
        assert threading.active_count() == threads, "it leaves threads running; end them in sixty_stopping"

    def test_it_imports_no_other_pack(self) -> None:
        others = {entry.value.partition(".")[0] for entry in entry_points(group=GROUP)}
        module = self._module()
        others.discard(module.__name__.partition(".")[0])
        for path in sources(module):
            for name in imports(path):
                assert name.partition(".")[0] not in others, (
                    f"{path.name} imports {name}, another pack: it could then not be installed alone; "
                    "react to its events and read its views instead"
                )

    @classmethod
    def _module(cls) -> ModuleType:
        return import_module(cls.plugin)

    @classmethod
    def _name(cls) -> str:
        if cls.name is not None:
            return cls.name
        installed = [entry.name for entry in entry_points(group=GROUP) if entry.value == cls.plugin]
        assert installed, f"{cls.plugin} is not installed as a plugin: say what it is called, `name = …`"
        return installed[0]
