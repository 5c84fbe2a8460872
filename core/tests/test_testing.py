"""What authors of packs test with: packs as they should be pass the suite, and others are told what is wrong."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import sqlalchemy as sa
from fakes import notes
from fakes.notes import NOTE
from faulty import ACTIONS, TABLES, THING, Faulty, Say, a_tool, fails, loose, table
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sixty import Call, Permissions, Tables, Tool
from sixty.errors import Conflict, NotFound, RateLimited, Unauthenticated, Unavailable, raised
from sixty.people import disable_user
from sixty.testing import Client, InternalError, PluginSuite, declared, open_organisation
from sixty.testing.strategies import NOBODY, Reference, arguments, junk_arguments, minimal, resolved

if TYPE_CHECKING:
    from sixty.testing import Organisation


class TestNotes(PluginSuite):
    plugin = "fakes.notes"
    name = "notes"
    examples: ClassVar[Any] = {"claim_text": {"text": "A text of its own"}}


class TestPins(PluginSuite):
    plugin = "fakes.pins"
    name = "pins"
    companions = (("notes", notes),)


def test_a_quarantined_pack_is_told_why(things: Faulty) -> None:
    things.declare(tools=[a_tool(), a_tool()])
    with fails("the tool say is declared twice"):
        things.tests.test_it_loads(things.url, things.plugins, {})
    with fails("things is quarantined"), things.serving():
        pass


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "is no JSON Schema of draft 2020-12"),
        ({"type": "array"}, "must have the type object"),
        ({"type": "object", "properties": {"title": {"title": "Title"}}}, "the title 'Title' only costs"),
        (
            {"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}]}}},
            "an optional value keeps its plain type",
        ),
        ({"type": "object", "$defs": {"A": {}}, "properties": {"a": {"$ref": "#/$defs/A"}}}, "put it where it is used"),
        ({"type": "object", "allOf": [{"title": "Again"}]}, "the title 'Again' only costs"),
    ],
)
def test_a_schema_that_costs_too_much_or_is_none_is_named(things: Faulty, schema: dict[str, Any], message: str) -> None:
    things.declare(tools=[a_tool(input_schema=schema)])
    with fails(f"the input schema of say.*{message}"):
        things.tests.test_each_schema_is_valid_and_plain(things.pack)


def test_large_tools_and_tools_and_permissions_without_words_are_named(things: Faulty) -> None:
    things.declare(tools=[Tool("say", "x" * 1_000, notes.add_note.handler, None, "read", Say)])
    with fails("and may have 900"):
        things.tests.test_the_average_tool_is_small(things.pack, lambda *_: None)
    with fails("a tool without a permission is for everybody"):
        things.tests.test_each_tool_asks_for_a_permission(things.pack)
    things.declare(permissions=[Permissions("things", {"use": "Use"})])
    with fails("things:use"):
        things.tests.test_each_permission_has_a_sentence(things.pack)


def test_an_example_that_is_not_allowed_is_named(things: Faulty) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "examples": ["x", 3]}}}
    things.declare(tools=[a_tool(input_schema=schema)])
    with fails("say: the example 3 of a is not allowed"):
        things.tests.test_each_example_is_allowed_by_its_schema(things.pack)
    things.tests.examples = {"sy": {}}
    with fails("arguments for tools that there are not: \\['sy'\\]"):
        things.tests.test_each_example_is_allowed_by_its_schema(things.pack)


def test_a_bug_is_found_with_made_up_arguments(things: Faulty) -> None:
    async def breaks(args: Say, call: Call) -> None:
        if len(args.text) > 1:
            raise ZeroDivisionError

    things.declare(tools=[a_tool(breaks)])
    with things.serving() as served, fails("say failed with 'internal'"):
        things.tests.test_allowed_arguments_are_served_or_refused_and_effects_are_true(served)


async def _adds_in_a_step(args: Say, call: Call) -> None:
    async with call.transaction() as step:
        await step.records.add(NOTE, {"text": args.text})


async def _removes(args: Say, call: Call) -> None:
    for thing in await call.rows(sa.select(table)):
        await call.records.delete(THING, thing["id"])
    await call.records.add(THING, {"text": args.text})


async def _forges(args: Say, call: Call) -> None:
    await call.records.add(THING, {"text": args.text})
    call.write(sa.update(table).values(version=7))


async def _bypasses(args: Say, call: Call) -> None:
    await call.records.add(THING, {"text": args.text})
    call.write(sa.insert(loose), {"text": args.text})


@pytest.mark.parametrize(
    ("handler", "options", "message"),
    [
        (_adds_in_a_step, {"effect": "read", "open_world": True}, "say has the effect read, and has written"),
        (_removes, {"effect": "create"}, "say has the effect create, and deleted a record"),
        (_forges, {"effect": "create"}, "things and the spine differ in \\['version'\\]"),
    ],
)
def test_a_tool_that_does_not_do_what_its_effect_says_is_named(
    things: Faulty, handler: Any, options: dict[str, Any], message: str
) -> None:
    things.declare(tables=TABLES, permissions=[Permissions("things", ACTIONS)])
    things.declare(tools=[a_tool(handler, permission="things:create", **options)])
    with things.serving() as served, fails(message):
        things.tests.test_allowed_arguments_are_served_or_refused_and_effects_are_true(served)


def test_what_undo_cannot_take_back_is_named(things: Faulty) -> None:
    things.declare(tables=TABLES, permissions=[Permissions("things", ACTIONS)])

    def why() -> str:
        with things.serving() as served, fails() as caught:
            things.tests.test_undoing_what_was_created_leaves_nothing(served)
        return str(caught.value)

    things.declare(tools=[a_tool(_bypasses, permission="things:create", effect="create")])
    assert "undoing what was created leaves rows in ['loose_things']" in why()
    things.declare(tools=[a_tool(permission="things:create", effect="create")])
    assert "say has the effect create, and its example wrote nothing" in why()

    async def refuses(args: Say, call: Call) -> None:
        raise Conflict("not today")

    things.declare(tools=[a_tool(refuses, permission="things:create", effect="create")])
    assert "an admin is refused say with {'text': 'today'}: give arguments that are served" in why()


def test_migrations_that_make_something_else_than_declared_are_named(things: Faulty) -> None:
    folder = things.tmp_path / "migrations"
    folder.mkdir()
    (folder / "1.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = '1'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('loose_things', sa.Column('id', sa.Integer, primary_key=True))\n"
        "def downgrade():\n    pass\n"
    )
    declared = sa.MetaData()
    loose.to_metadata(declared)
    things.declare(tables=Tables(declared, migrations=folder))
    url = things.url
    with fails("the tables as migrated are not the tables as declared"):
        things.tests.test_its_migrations_make_what_it_declares(url, things.pack)
    with fails("leave tables behind: \\['loose_things'\\]"):
        things.tests.test_its_tables_go_and_come_back(url, things.pack)


def test_what_a_pack_leaves_behind_is_named(things: Faulty) -> None:
    tasks: list[Any] = []

    async def sixty_started(host: object) -> None:
        tasks.append(asyncio.get_running_loop().create_task(asyncio.Event().wait()))

    things.declare(started=sixty_started, tools=[a_tool()])
    with fails("leave no task running"):
        things.tests.test_it_comes_and_goes_without_leftovers(things.url, things.plugins, {})
    stop = threading.Event()

    def sixty_started_too(host: object) -> None:
        threading.Thread(target=stop.wait, daemon=True).start()

    things.declare(started=sixty_started_too)
    with fails("it leaves threads running"):
        things.tests.test_it_comes_and_goes_without_leftovers(things.url, things.plugins, {})
    stop.set()


def test_a_pack_that_imports_another_is_named(things: Faulty) -> None:
    from importlib.metadata import EntryPoint  # noqa: PLC0415

    others = [
        EntryPoint("other", "other_pack.plugin", "sixty.plugins"),
        EntryPoint("things", "things_pack", "sixty.plugins"),
    ]
    things.monkeypatch.setattr(declared, "entry_points", lambda **_: others)
    (things.tmp_path / "things_pack.py").write_text("def hidden():\n    from other_pack.rules import x\n")
    things.monkeypatch.delitem(sys.modules, "things_pack")
    things.monkeypatch.syspath_prepend(things.tmp_path)
    with fails("things_pack.py imports other_pack.rules.x, another pack"):
        things.tests.test_it_imports_no_other_pack()
    sys.modules.pop("things_pack")
    del type(things.tests).name
    assert type(things.tests)._name() == "things"
    type(things.tests).plugin = "nobody.plugin"
    with fails("nobody.plugin is not installed as a plugin"):
        type(things.tests)._name()


# -- clients


async def test_a_client_raises_what_a_tool_answers_by_class(sixty: Organisation) -> None:
    with pytest.raises(InternalError):
        await sixty.as_role("user").call("break_down", text="x")
    error = raised({"code": "rate_limited", "message": "slowly", "retry_after": 3})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3
    assert isinstance(raised({"code": "unavailable", "message": ""}), Unavailable)
    assert raised({"code": "internal", "message": ""}) is None


async def test_a_result_that_does_not_fit_its_schema_is_the_tools_fault(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = {"type": "object", "properties": {"said": {"type": "array", "items": {"type": "integer"}}}}
    wrong = dict(sixty.host.registry.tools)
    object.__setattr__(wrong["echo"], "result", schema)
    wrong["echo"].__dict__.pop("output_schema", None)
    try:
        with pytest.raises(AssertionError, match="echo does not keep to its own output schema: said/0"):
            await sixty.as_role("user").call("echo", words=["a"])
    finally:
        object.__setattr__(wrong["echo"], "result", None)
        wrong["echo"].__dict__.pop("output_schema", None)


async def test_somebody_who_is_disabled_calls_nothing_any_more(sixty: Organisation) -> None:
    ann = await sixty.user("Ann")
    await disable_user(sixty.host.database, "ann@example.com", now=sixty.clock())
    with pytest.raises(Unauthenticated):
        await ann.call("find_notes")


async def test_an_organisation_that_is_opened_again_has_the_same_people(database_url: str) -> None:
    async with open_organisation(database_url, [("notes", notes)]) as sixty:
        note = (await sixty.as_role("user").call("add_note", text="one"))["note"]["id"]
    async with open_organisation(database_url, [("notes", notes)]) as sixty:
        assert (await sixty.as_role("user").call("read_note", note_id=note))["note"]["text"] == "one"
        with pytest.raises(NotFound):
            await (await sixty.user("Ann", team="North")).call("read_note", note_id=note)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_is_connected_in_memory(sixty: Organisation, mode: str) -> None:
    user: Client = sixty.as_role("user")
    async with user.connected(mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == await user.tools()
        result = await client.call_tool("add_note", {"text": "one"})
        assert result.structured_content is not None
        assert result.structured_content["note"]["text"] == "one"


# -- made-up arguments

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "name", "list"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "code": {"type": "string", "pattern": "^[a-z]{3}$"},
        "list": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 3},
        "count": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
        "less": {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
        "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 2},
        "flag": {"type": "boolean"},
        "same": {"const": 3},
        "either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        "any": {},
    },
}
FULL = SCHEMA | {"required": list(SCHEMA["properties"])}
VALIDATOR = Draft202012Validator(SCHEMA)


@given(arguments(SCHEMA))
def test_made_up_arguments_are_those_that_a_schema_allows(made_up: dict[str, Any]) -> None:
    VALIDATOR.validate(resolved(made_up, ["an id"]))


@settings(max_examples=200)
@given(st.data())
def test_junk_is_now_and_then_what_a_schema_forbids(data: st.DataObject) -> None:
    made_up = data.draw(junk_arguments(SCHEMA))
    assert isinstance(resolved(made_up, []), dict)


def test_the_plainest_arguments_are_allowed_and_always_the_same() -> None:
    plain = minimal(
        {**FULL, "properties": {**FULL["properties"], "code": {"type": "string", "minLength": 9}}}, ["an id"]
    )
    assert plain["id"] == "an id"
    Draft202012Validator(SCHEMA | {"properties": {**SCHEMA["properties"], "code": {}, "name": {}}}).validate(plain)
    assert minimal(SCHEMA, [])["id"] == NOBODY
    assert resolved({"a": [Reference(7)]}, ["x", "y"]) == {"a": ["y"]}
