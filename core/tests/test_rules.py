"""The rules about scope, permissions, imports, memory and packaging: who breaks one is told which, and where."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from faulty import ACTIONS, TABLES, THING, Say, a_tool, fails, table

from sixty import (
    Arguments,
    Call,
    Gauge,
    Guard,
    Job,
    Kind,
    NotFound,
    Permissions,
    RecordId,
    Result,
    Tables,
    Tool,
    on,
    tool,
)
from sixty.testing import PluginSuite, packaging
from sixty.testing.rules import rule_of

if TYPE_CHECKING:
    from faulty import Faulty

# -- scope


@tool("add_thing", permission="things:create", effect="create")
async def add_thing(args: Say, call: Call) -> Result:
    """Add a thing."""
    await call.records.add(THING, {"text": args.text})
    return Result(message="Added")


class Found(Result):
    found: list[str]


class OneThing(Arguments):
    thing_id: RecordId


class Several(Arguments):
    thing_ids: list[RecordId]


EVERY = sa.select(table)


@tool("list_things", permission="things:read", effect="read")
async def list_things(args: Arguments, call: Call) -> Found:
    """List things, whoever may read them."""
    return Found(message="Listed", found=[row["id"] for row in await call.unit.rows(EVERY, {})])


@tool("count_things", permission="things:read", effect="read")
async def count_things(args: Arguments, call: Call) -> Result:
    """Count things, whoever may read them."""
    return Result(message=f"{len(await call.unit.rows(EVERY, {}))} things")


@tool("search_things", permission="things:read", effect="read")
async def search_things(args: Say, call: Call) -> Found:
    """Find things by their text, whoever may read them."""
    rows = await call.unit.rows(EVERY, {})
    return Found(message="Searched", found=[row["id"] for row in rows if row["text"] == args.text and len(rows) > 1])


@tool("look_for_thing", permission="things:read", effect="read")
async def look_for_thing(args: OneThing, call: Call) -> Result:
    """Say whether there is such a thing, whoever may know."""
    if await call.records.spine(args.thing_id) is None:
        raise NotFound(f"there is no thing {args.thing_id}")
    return Result(message="There is")


@tool("look_for_things", permission="things:read", effect="read")
async def look_for_things(args: Several, call: Call) -> Result:
    """Say whether there are such things, whoever may know."""
    return Result(message=str([await call.records.spine(each) is None for each in args.thing_ids]))


class Retitle(OneThing):
    text: str = "taken"


@tool("rename_thing", permission="things:update", effect="update")
async def rename_thing(args: Retitle, call: Call) -> Result:
    """Change the text of a thing, whoever may change it."""
    call.write(sa.update(table).where(table.c.id == args.thing_id).values(text=args.text))
    return Result(message="Renamed")


OWN = ("things:*:own",)


def permissions(*of_user: str) -> list[Permissions]:
    return [Permissions("things", {**ACTIONS, "update": "Change things"}, {"user": of_user})]


@pytest.mark.parametrize(
    ("bad", "grants", "message"),
    [
        (list_things, OWN, 'list_things, called with {} by a user of another team, shows the thing "today" of Ada'),
        (count_things, OWN, "count_things answers a user something else once there are records of another team"),
        (search_things, OWN, 'search_things, called with .* shows the thing "today" of Ada Admin'),
        (look_for_thing, OWN, 'look_for_thing, called with .* so it tells about the thing "today" of Ada Admin'),
        (look_for_things, OWN, 'look_for_things, called with .* so it tells about the thing "today" of Ada Admin'),
        (rename_thing, OWN, 'rename_thing, called with .* changes the thing "today" of Ada Admin'),
        (rename_thing, ("things:read", "things:update:own"), 'rename_thing, called with .* changes the thing "today"'),
    ],
)
def test_a_tool_that_does_not_keep_to_scope_is_named(
    things: Faulty, bad: Any, grants: tuple[str, ...], message: str
) -> None:
    things.declare(tables=TABLES, tools=[add_thing, bad], permissions=permissions(*grants))
    with things.serving() as served, fails(message):
        things.tests.test_scope_is_kept(served)


@pytest.mark.parametrize("good", [list_things, count_things, search_things, look_for_thing, rename_thing])
def test_what_the_grants_of_a_pack_give_to_everybody_may_be_shown_and_changed(things: Faulty, good: Any) -> None:
    things.declare(tables=TABLES, tools=[add_thing, good], permissions=permissions("things:*"))
    with things.serving() as served:
        things.tests.test_scope_is_kept(served)


def test_a_pack_that_creates_nothing_is_not_asked_about_scope(things: Faulty) -> None:
    things.declare(tools=[a_tool()])
    with things.serving() as served, pytest.raises(pytest.skip.Exception, match="none of its tools creates a record"):
        things.tests.test_scope_is_kept(served)


# -- metrics


def _things(value: sa.ColumnElement[Any]) -> Gauge:
    return Gauge(name="things_kept", description="Things.", select=sa.select(value.label("value"), table.c.text))


@pytest.mark.parametrize(
    ("gauge", "why"),
    [
        (_things(table.c.text), "the gauge things_kept gives 'first' as its value"),
        (_things(sa.func.no_such_function()), "no such function"),
    ],
)
def test_a_gauge_that_cannot_be_asked_is_named(things: Faulty, gauge: Gauge, why: str) -> None:
    async def add(_: Say, call: Call) -> None:
        await call.records.add(THING, {"text": "first"})

    things.declare(tables=TABLES, tools=[a_tool(add, effect="create", permission="things:create")], metrics=[gauge])
    things.declare(permissions=[Permissions("things", ACTIONS, {"user": ("things:create", "things:read")})])
    with things.serving() as served, pytest.raises(Exception, match=why):
        things.tests.test_its_gauges_can_be_asked(served)


def test_a_gauge_of_many_rows_is_named(things: Faulty) -> None:
    numbers = sa.union_all(*(sa.select(sa.literal_column(str(n)).label("value")) for n in range(101)))
    things.declare(metrics=[Gauge(name="things_many", description="Many.", select=numbers)], tools=[a_tool()])
    with things.serving() as served, fails("the gauge things_many gives 101 rows"):
        things.tests.test_its_gauges_can_be_asked(served)


# -- permissions


def test_a_permission_that_nothing_asks_for_is_named(things: Faulty) -> None:
    things.declare(tools=[a_tool()], permissions=[Permissions("things", {"use": "Use things", "bend": "Bend things"})])
    things.ship("")
    with fails("nothing asks for things:bend"):
        things.tests.test_each_permission_is_asked_for(things.pack)


def test_a_permission_is_asked_for_by_tools_guards_reactions_handlers_and_the_core(things: Faulty) -> None:
    @on("thing.added", may=("things:bend",))
    async def bend_what_was_added(event: Any, call: Call) -> None:
        """Bend it."""

    guarded = Kind("thing", table, THING.model, "things", "text", guards={"text": Guard("things:word", "Ask an admin")})
    asked = ("use", "word", "bend", "break", "read", "update", "delete")
    things.declare(
        tools=[a_tool()],
        tables=Tables(TABLES.metadata, (guarded,)),
        reactions=[bend_what_was_added],
        permissions=[Permissions("things", {action: f"{action.capitalize()} things" for action in asked})],
    )
    things.ship("async def handle(args, call):\n    call.scopes('things:break')\n")
    things.tests.test_each_permission_is_asked_for(things.pack)


def test_a_name_in_for_everybody_that_is_no_open_tool_is_named(things: Faulty) -> None:
    things.declare(tools=[a_tool()])
    things.tests.for_everybody = frozenset({"say"})
    with fails("`for_everybody` names say, and there is no such tool without a permission"):
        things.tests.test_each_tool_asks_for_a_permission(things.pack)


# -- words and marks


def test_a_pack_or_a_tool_without_words_is_named(things: Faulty) -> None:
    things.declare(tools=[Tool("say", "Say", a_tool().handler, "things:use", "read", Say)])
    with fails("no sentence describes say"):
        things.tests.test_it_says_what_it_is_for(things.pack)
    things.declare(tools=[], jobs=[Job("remind", a_tool().handler, Say, "Remind")])
    with fails("no sentence describes remind"):
        things.tests.test_it_says_what_it_is_for(things.pack)
    vars(sys.modules["things_pack"])["__doc__"] = None
    with fails("the module things_pack has no docstring"):
        things.tests.test_it_says_what_it_is_for(things.pack)


def test_a_hook_without_its_mark_is_named(things: Faulty) -> None:
    things.ship("from sixty import hookimpl\n@hookimpl\ndef sixty_tables(): ...\ndef sixty_tools(): ...\n")
    with fails("without @hookimpl: sixty_tools\n"):
        things.tests.test_each_hook_is_marked()


# -- memory


def test_memory_that_a_pack_keeps_each_time_it_is_loaded_is_named(things: Faulty) -> None:
    kept: list[bytes] = []

    def sixty_started(host: object) -> None:
        kept.append(bytes(100_000))

    things.declare(started=sixty_started, tools=[a_tool()])
    with fails("each time that it is loaded it keeps 1[0-9]{5} bytes, and may keep 16384"):
        things.tests.test_it_comes_and_goes_without_leftovers(things.url, things.plugins, {})


# -- modules


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import sixty.tables", "sixty.tables"),
        ("from sixty import tables", "sixty.tables"),
        ("from sixty.storage.statements import Row", "sixty.storage.statements.Row"),
        ("from sixty.crm import sa", "sixty.crm.sa"),
        ("def later():\n    from sixty.call import call_tool", "sixty.call.call_tool"),
    ],
)
def test_an_import_of_what_is_not_public_is_named(things: Faulty, line: str, named: str) -> None:
    things.ship(f"from sixty import crm, tool\nfrom sixty.crm import DEALS\nimport sixty.testing\n{line}\n")
    with fails(f"not public: things_pack.py imports {named}\n"):
        things.tests.test_it_imports_only_what_is_public()


# -- packaging

PROJECT = """
[project]
name = "sixty-things"
version = "{version}"
dependencies = {requires}
[project.entry-points."sixty.plugins"]
{name} = "things_pack"
"""


@pytest.mark.parametrize(
    ("name", "version", "requires", "message"),
    [
        ("things", "1.0rc1", '["sixty-core>=0.1"]', None),
        ("things", "one", '["sixty-core"]', "'one' is no version; write one such as 0.1.0"),
        ("things", "0.1.0", '["sixty-core-extras"]', "it does not depend on sixty-core"),
        ("Things", "0.1.0", '["sixty-core"]', "the entry point 'Things' must be snake_case"),
    ],
)
def test_a_distribution_that_is_not_declared_properly_is_told_why(
    things: Faulty, name: str, version: str, requires: str, message: str | None
) -> None:
    (things.tmp_path / "pyproject.toml").write_text(PROJECT.format(name=name, version=version, requires=requires))
    type(things.tests).name = name
    things.ship("")
    if message is None:
        things.tests.test_its_distribution_is_declared_properly()
    else:
        with fails(message):
            things.tests.test_its_distribution_is_declared_properly()


def test_what_is_installed_is_asked_where_there_is_no_pyproject(
    things: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    things.ship("")
    with pytest.raises(pytest.skip.Exception, match="neither installed nor below a pyproject"):
        things.tests.test_its_distribution_is_declared_properly()
    dist = SimpleNamespace(name="sixty-things", version="1.0", requires=None)
    entry = SimpleNamespace(module="things_pack", dist=dist)
    monkeypatch.setattr(packaging, "entry_points", lambda **_: [entry])
    with fails("it does not depend on sixty-core"):
        things.tests.test_its_distribution_is_declared_properly()


# -- all of them


def test_a_failure_says_why_the_rule_is_there_and_how_to_mend_it(things: Faulty) -> None:
    things.ship("import sixty.tables\n")
    with fails() as caught:
        things.tests.test_it_imports_only_what_is_public()
    (note,) = caught.value.__notes__
    assert note.startswith("why:  The other modules of `sixty` change")
    assert "\nmend: Import from sixty, sixty.audit, sixty.commands, sixty.crm, " in note


def test_each_test_of_the_suite_is_a_rule() -> None:
    tests = {name for owner in PluginSuite.__mro__ for name in vars(owner) if name.startswith("test_")}
    titles = {rule.title for name in tests if (rule := rule_of(getattr(PluginSuite, name))) is not None}
    assert len(titles) == len(tests)
