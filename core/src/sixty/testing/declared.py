"""The rules about what a pack declares and ships. Its tools are not called here: that is `suite.py`."""

from __future__ import annotations

import asyncio
import inspect
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from sixty import hookspecs
from sixty.lifecycle import GROUP, load
from sixty.testing.inspection import PUBLIC, asked_for, faults, imports, is_public, size, sources
from sixty.testing.organisation import open_organisation
from sixty.testing.packaging import distribution_of
from sixty.testing.rules import rule
from sixty.testing.strategies import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from sixty.registry import Pack

__all__ = ["BYTES", "DeclaredRules", "Plugins"]

BYTES = 900
"""Name, description and input schema of a tool, as JSON, on average at the most."""
OF_KINDS = ("read", "update", "delete")
"""The permissions that the core itself asks for: to show a record, to make it somebody else's, to delete it."""

Plugins = tuple[tuple[str, object], ...]


class DeclaredRules:
    """What a pack declares, and the tests of it."""

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

    @rule(
        "It loads",
        why="A pack that does not load is quarantined: the server runs on without it.",
        mend="Import its module by hand, `python -c 'import …'`, and set right what the reason names.",
    )
    def test_it_loads(self, database_url: str, plugins: Plugins, environ: Mapping[str, str]) -> None:
        async def reasons() -> dict[str, str]:
            async with open_organisation(database_url, plugins, environ=environ) as organisation:
                return dict(organisation.host.registry.quarantined)

        found = asyncio.run(reasons())
        assert not found, f"quarantined, and so without effect: {found}"

    @rule(
        "Each of its hooks is marked as one",
        why="A hook without the mark is an ordinary function: what it returns is never asked for, and nobody says so.",
        mend="Write `@hookimpl` (from `sixty`) above it.",
    )
    def test_each_hook_is_marked(self) -> None:
        functions = inspect.getmembers(self._module(), inspect.isfunction)
        known = {name for name in hookspecs.__all__ if name.startswith("sixty_")}
        mute = [name for name, function in functions if name in known and not hasattr(function, "sixty_impl")]
        assert not mute, f"without @hookimpl: {', '.join(mute)}"

    @rule(
        "Its distribution is declared properly",
        why="The name, the version and the entry point are all that `sixty plugins` and pip know of it.",
        mend="Compare its pyproject.toml with the one that `sixty plugins new` writes.",
    )
    def test_its_distribution_is_declared_properly(self) -> None:
        distribution = distribution_of(self._module(), self._name())
        if distribution is None:
            pytest.skip("it is neither installed nor below a pyproject.toml that names it")
        found = list(distribution.faults())
        assert not found, "; ".join(found)

    @rule(
        "The pack and each of its tools and jobs say what they are for",
        why="Agents choose a tool by its description, and operators a pack by its summary and its jobs.",
        mend="The summary is the first line of the module's docstring; a description is the docstring of the function.",
    )
    def test_it_says_what_it_is_for(self, pack: Pack) -> None:
        assert pack.summary, f"the module {self.plugin} has no docstring"
        told = {item.name: item.description for item in pack.tools} | {
            item.name: item.description for item in pack.jobs
        }
        mute = [name for name, description in told.items() if len(description.split()) < 2]
        assert not mute, f"no sentence describes {', '.join(mute)}"

    @rule(
        "Each schema is valid and plain",
        why="Clients refuse schemas that are not valid, and each agent pays for every word of them.",
        mend="Let pydantic models derive from `Arguments` and `Result`; put a definition where it is used.",
    )
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

    @rule(
        "Its tools are small",
        why="Every agent reads all of them in each conversation, used or not.",
        mend="Say in the description only what the names of the arguments do not; leave out arguments nobody gives.",
    )
    def test_the_average_tool_is_small(self, pack: Pack, record_property: Callable[[str, object], None]) -> None:
        sizes = {tool.name: size(tool) for tool in pack.tools}
        record_property("bytes", sizes)
        average = sum(sizes.values()) / max(1, len(sizes))
        assert average <= BYTES, (
            f"name, description and input schema have {average:.0f} bytes on average, and may have {BYTES}; "
            f"the largest: {sorted(sizes.items(), key=lambda it: -it[1])[:3]}"
        )

    @rule(
        "Each tool asks for a permission",
        why="A tool without a permission is for everybody.",
        mend="Give it one, or name it in `for_everybody` if it asks for those of the records that it touches.",
    )
    def test_each_tool_asks_for_a_permission(self, pack: Pack) -> None:
        open_to_all = {tool.name for tool in pack.tools if tool.permission is None}
        unexpected, gone = sorted(open_to_all - self.for_everybody), sorted(self.for_everybody - open_to_all)
        assert not unexpected, f"a tool without a permission is for everybody: {', '.join(unexpected)}"
        assert not gone, f"`for_everybody` names {', '.join(gone)}, and there is no such tool without a permission"

    @rule(
        "Each permission is said in a sentence",
        why="Whoever grants it reads the sentence and nothing else.",
        mend="Say what it allows: `{'update': 'Change notes'}`.",
    )
    def test_each_permission_has_a_sentence(self, pack: Pack) -> None:
        declared = {
            f"{item.resource}:{action}": text for item in pack.permissions for action, text in item.actions.items()
        }
        mute = sorted(name for name, text in declared.items() if len(text.split()) < 2)
        assert not mute, f"without a sentence: {', '.join(mute)}"

    @rule(
        "Each permission is asked for",
        why="A permission that nothing asks for promises an operator a control that is not there.",
        mend="Leave it out, or ask for it: in a tool, a guard, the `may` of a reaction, or by `call.scopes(…)`.",
    )
    def test_each_permission_is_asked_for(self, pack: Pack) -> None:
        asked: set[str | None] = {tool.permission for tool in pack.tools}
        asked.update(guard.permission for kind in pack.kinds for guard in kind.guards.values())
        asked.update(permission for reaction in pack.reactions for permission in reaction.may)
        asked.update(f"{kind.resource}:{action}" for kind in pack.kinds for action in OF_KINDS)
        asked.update(permission for path in sources(self._module()) for permission in asked_for(path))
        unused = sorted({name for item in pack.permissions for name in item.names} - asked)
        assert not unused, f"nothing asks for {', '.join(unused)}"

    @rule(
        "Each example is allowed by its schema",
        why="Agents do as the examples do.",
        mend="Correct the example, or the schema that does not allow it.",
    )
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

    @rule(
        "It imports no other pack",
        why="It could then not be installed alone.",
        mend="React to the other pack's events and read its views, both from `sixty.crm`.",
    )
    def test_it_imports_no_other_pack(self) -> None:
        others = {entry.value.partition(".")[0] for entry in entry_points(group=GROUP)}
        module = self._module()
        others.discard(module.__name__.partition(".")[0])
        for path in sources(module):
            for name in imports(path):
                assert name.partition(".")[0] not in others, f"{path.name} imports {name}, another pack"

    @rule(
        "It imports only what is public",
        why="The other modules of `sixty` change from one release to the next, without notice.",
        mend=f"Import from {', '.join(sorted(PUBLIC))}; what is missing there is missing from Sixty: say so.",
    )
    def test_it_imports_only_what_is_public(self) -> None:
        hidden = [
            f"{path.name} imports {name}"
            for path in sources(self._module())
            for name in imports(path)
            if not is_public(name)
        ]
        assert not hidden, f"not public: {', '.join(hidden)}"

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
