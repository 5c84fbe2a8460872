"""Loading plugins: a bad one stays out, says why, and takes nothing else down."""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import ALL, notes, pins, sums, world
from fakes.making import Nothing, plugin, poke

from sixty import (
    Call,
    Event,
    Kind,
    Permissions,
    Published,
    Reaction,
    Record,
    Result,
    Searchable,
    Tables,
    View,
    on,
    record_table,
    tool,
)
from sixty import lifecycle as lifecycle_module
from sixty.config import Settings
from sixty.errors import ConfigError
from sixty.lifecycle import discover
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.host import Host
    from sixty.registry import Registry


def discovered(plugins: Any, **environ: str) -> Registry:
    return asyncio.run(discover(Settings(), environ, plugins))


def quarantined(*plugins: tuple[str, object]) -> dict[str, str]:
    registry = discovered(plugins)
    assert "search_crm" in registry.tools  # the core serves whatever happens
    return dict(registry.quarantined)


def reason(broken: object, *before: tuple[str, object]) -> str:
    """Why a plugin is quarantined, while the others are not."""
    found = quarantined(*before, ("broken", broken), ("world", world))
    assert list(found) == ["broken"]
    return found["broken"]


def test_plugins_that_are_as_they_should_be_are_all_loaded() -> None:
    registry = discovered(ALL)
    assert dict(registry.quarantined) == {}
    assert list(registry.packs) == ["core", "notes", "pins", "sums", "world"]
    assert list(registry.tools) == sorted(registry.tools)
    assert registry.packs["notes"].summary.startswith("Notes about records")
    assert "sum_deals" not in registry.tools  # nobody publishes what it needs


def test_an_unknown_hook_is_named_with_the_nearest() -> None:
    def sixty_tool() -> list[Any]:
        return []

    assert reason(plugin(sixty_tool=sixty_tool)) == "sixty_tool is not a hook; did you mean 'sixty_tools'?"


def test_a_hook_with_a_wrong_argument_is_refused() -> None:
    assert "app" in reason(plugin(sixty_started=lambda app: app))


def test_a_hook_that_fails_is_the_plugins_problem() -> None:
    def sixty_tools() -> list[Any]:
        raise OSError("no such thing")

    assert reason(plugin(sixty_tools=sixty_tools)) == "OSError: no such thing"


def test_a_hook_that_exits_does_not_take_the_server_along() -> None:
    def sixty_tools() -> list[Any]:
        raise SystemExit(3)

    assert reason(plugin(sixty_tools=sixty_tools)) == "SystemExit: 3"


@pytest.mark.parametrize("returned", [3, [3], ["poke"], [object()]])
@pytest.mark.parametrize("hook", ["tools", "permissions", "events", "reactions", "views", "search"])
def test_a_hook_that_returns_something_else_is_refused(hook: str, returned: Any) -> None:
    assert reason(plugin(**{f"sixty_{hook}": lambda: returned}))


def test_an_import_error_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "a_module_that_is_nowhere", lifecycle_module.GROUP)
    monkeypatch.setattr(lifecycle_module, "entry_points", lambda **_: [broken])
    registry = discovered(None, SIXTY_BROKEN_KEY="its settings cannot be judged")
    assert registry.quarantined == {"broken": "ModuleNotFoundError: No module named 'a_module_that_is_nowhere'"}


def test_a_tool_that_somebody_has_already_is_refused() -> None:
    other = plugin(sixty_tools=lambda: [poke])
    assert reason(plugin(sixty_tools=lambda: [poke]), ("other", other)) == "the tool poke already belongs to other"
    assert reason(plugin(sixty_tools=lambda: [poke, poke])) == "the tool poke is declared twice"


def test_a_bad_schema_is_refused_when_the_plugin_loads() -> None:
    async def handler(args: Any, call: Any) -> None:
        """Do nothing."""

    from sixty import Tool  # noqa: PLC0415

    bad = Tool("bad", "Bad", handler, None, "read", {"type": "nonsense"})
    assert "the tool bad has a bad JSON Schema" in reason(plugin(sixty_tools=lambda: [bad]))


def test_a_permission_that_nobody_declares_is_refused() -> None:
    @tool("poke_hard", permission="thing:poke", effect="read")
    async def poke_hard(args: Nothing, call: Call) -> Result:
        """Poke it."""
        return Result(message="poked")

    declared = [Permissions("things", {"poke": "Poke things"})]
    why = reason(plugin(sixty_tools=lambda: [poke_hard], sixty_permissions=lambda: declared))
    assert why.endswith("which no pack declares; did you mean 'things:poke'?")


@pytest.mark.parametrize(
    ("grants", "message"),
    [
        ({"usr": ("things:poke",)}, "the role 'usr'; did you mean 'user'?"),
        ({"user": ("things:poke:mine",)}, "'mine' is not a scope"),
        ({"user": ("notes:read",)}, "grants 'notes:read', which is not its own"),
        ({"user": ("*:*",)}, "which is not its own"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(grants: dict[str, Any], message: str) -> None:
    declared = [Permissions("things", {"poke": "Poke things"}, grants)]
    assert message in reason(plugin(sixty_permissions=lambda: declared), ("notes", notes))


def test_a_table_or_resource_that_is_somebody_elses_is_refused() -> None:
    metadata = sa.MetaData()
    sa.Table("notes", metadata, sa.Column("id", sa.Integer, primary_key=True))
    why = reason(plugin(sixty_tables=lambda: Tables(metadata)), ("notes", notes))
    assert why == "the table notes already belongs to notes"
    metadata = sa.MetaData()
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
    assert reason(plugin(sixty_tables=lambda: Tables(metadata))) == "the table users already belongs to core"
    declared = [Permissions("notes", {"read": "Read notes too"})]
    why = reason(plugin(sixty_permissions=lambda: declared), ("notes", notes))
    assert why == "the resource notes already belongs to notes"


def test_a_kind_whose_table_is_no_record_table_is_refused() -> None:
    metadata = sa.MetaData()
    table = sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True))
    kind = Kind("thing", table=table, model=Record, resource="things", title="id")
    declared = [Permissions("things", {"read": "Read things"})]
    why = reason(plugin(sixty_tables=lambda: Tables(metadata, (kind,)), sixty_permissions=lambda: declared))
    assert "record_table" in why


def test_a_kind_with_a_title_guard_or_search_column_that_its_table_lacks_is_refused() -> None:
    metadata = sa.MetaData()
    table = record_table("things", metadata, sa.Column("text", sa.Text))
    declared = [Permissions("things", {"read": "Read things"})]
    kind = Kind("thing", table=table, model=Record, resource="things", title="txt")
    hooks = {"sixty_tables": lambda: Tables(metadata, (kind,)), "sixty_permissions": lambda: declared}
    assert "txt" in reason(plugin(**hooks))
    good = Kind("thing", table=table, model=Record, resource="things", title="text")
    hooks["sixty_tables"] = lambda: Tables(metadata, (good,))
    hooks["sixty_search"] = lambda: [Searchable(good, "titel")]
    assert "titel" in reason(plugin(**hooks))
    kind = Kind("thing", table=table, model=Record, resource="thing", title="text")
    hooks = {"sixty_tables": lambda: Tables(metadata, (kind,)), "sixty_permissions": lambda: declared}
    assert "thing" in reason(plugin(**hooks))


def test_a_view_that_does_not_keep_its_promise_is_refused() -> None:
    metadata = sa.MetaData()
    table = record_table("things", metadata, sa.Column("text", sa.Text))
    things = View("things", id=table.c.id.type, text=sa.String, worth=sa.Integer)

    def why(select: Any) -> str:
        tables = Tables(metadata)
        return reason(plugin(sixty_tables=lambda: tables, sixty_views=lambda: [Published(things, select)]))

    assert "lacks the column worth" in why(sa.select(table.c.id, table.c.text))
    text = table.c.text.label("worth")
    assert "promises worth as" in why(sa.select(table.c.id, table.c.text, text))
    foreign = sa.select(notes.notes.c.id, notes.notes.c.text, notes.notes.c.rank.label("worth"))
    assert "reads notes, a table that is not its pack's" in why(foreign)


def test_an_event_or_view_that_is_misspelt_is_found_once_all_are_loaded() -> None:
    @on("note.add")
    async def react(event: Event, call: Call) -> None:
        """React."""

    def sixty_reactions() -> list[Reaction]:
        return [react]

    why = reason(plugin(sixty_reactions=sixty_reactions), ("notes", notes))
    assert why.endswith("an event that nobody publishes; did you mean 'note.added'?")


def test_a_pack_may_wait_for_a_later_ones_events() -> None:
    registry = discovered([("pins", pins), ("notes", notes), ("sums", sums)])
    assert dict(registry.quarantined) == {}
    assert next(reaction.name for _, reaction in registry.reactions["note.added"]) == "pin_important_notes"


def test_a_reaction_may_only_what_somebody_declares() -> None:
    @on("note.added", may=("nots:create",))
    async def react(event: Event, call: Call) -> None:
        """React."""

    why = reason(plugin(sixty_reactions=lambda: [react]), ("notes", notes))
    assert "nots:create" in why


def test_a_bad_setting_of_a_pack_is_the_operators_to_mend() -> None:
    with pytest.raises(ConfigError, match="SIXTY_WORLD_TIMES"):
        discovered([("world", world)], SIXTY_WORLD_TIMES="many")
    with pytest.raises(ConfigError, match="SIXTY_WORLD_TIME is not a setting; did you mean 'SIXTY_WORLD_TIMES'"):
        discovered([("world", world)], SIXTY_WORLD_TIME="3")


def test_a_plugin_that_is_allowed_but_not_installed_is_the_operators_to_mend() -> None:
    with pytest.raises(ConfigError, match="SIXTY_PLUGINS names 'dealz', which is not installed"):
        asyncio.run(discover(Settings(plugins=("dealz",)), {}))


async def test_a_pack_that_does_not_start_is_released_and_quarantined(database_url: str) -> None:
    world.STATE.fail_start = True
    async with open_organisation(database_url, ALL) as sixty:
        assert sixty.host.registry.quarantined == {"world": "it did not start: no connection to the world"}
        assert "echo" not in sixty.host.registry.tools
        await sixty.as_role("user").call("add_note", text="served all the same")
        assert world.STATE.started == 0


async def test_packs_are_started_and_stopped(database_url: str) -> None:
    async with open_organisation(database_url, ALL):
        assert world.STATE.started == 1
    assert world.STATE.started == 0


async def test_a_failing_stop_keeps_no_other_from_stopping(database_url: str) -> None:
    async def sixty_stopping(host: Host) -> None:
        raise RuntimeError("stuck")

    async with open_organisation(database_url, [*ALL, ("stuck", plugin(sixty_stopping=sixty_stopping))]):
        assert world.STATE.started == 1
    assert world.STATE.started == 0


async def test_a_bad_migration_leaves_nothing_and_the_rest_serves(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_things.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        "revision, down_revision = '0001', None\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('things', sa.Column('id', sa.Integer))\n    raise ValueError('half-way')\n"
    )
    metadata = sa.MetaData()
    sa.Table("things", metadata, sa.Column("id", sa.Integer))
    broken = plugin(sixty_tables=lambda: Tables(metadata, migrations=tmp_path), sixty_tools=lambda: [poke])
    for _ in range(2):  # a second start finds the same
        async with open_organisation(database_url, [*ALL, ("broken", broken)]) as sixty:
            assert sixty.host.registry.quarantined == {"broken": "its migration failed: ValueError: half-way"}
            assert "poke" not in sixty.host.registry.tools
            await sixty.as_role("user").call("add_note", text="served all the same")
            with pytest.raises(Exception, match="things"):
                await sixty.count(metadata.tables["things"])


async def test_migrations_with_two_heads_are_refused(database_url: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = None\n')
    broken = plugin(sixty_tables=lambda: Tables(sa.MetaData(), migrations=tmp_path))
    async with open_organisation(database_url, [*ALL, ("broken", broken)]) as sixty:
        assert "2 heads" in sixty.host.registry.quarantined["broken"]
