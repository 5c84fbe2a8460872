"""Packs that come and go while the server runs, decided on in this process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import ALL, notes, world
from fakes.making import Nothing, named_tool, plugin, poke

from sixty import (
    Call,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Permissions,
    Result,
    Tables,
    on,
    tool,
)
from sixty import lifecycle as lifecycle_module
from sixty.errors import PluginError, ToolRemoved, UnknownTool
from sixty.roster import load_roster
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sixty.host import Host
    from sixty.testing import Clock, Organisation


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """An event that nobody sets before the end of the test; whoever waits for it is given up soon."""
    monkeypatch.setattr(lifecycle_module, "LOADING", 0.5)
    monkeypatch.setattr(lifecycle_module, "HOOK", 0.5)
    event = threading.Event()
    yield event
    event.set()


async def decisions(sixty: Organisation) -> dict[str, bool]:
    async with sixty.host.database.snapshot() as reader:
        return {name: found.enabled for name, found in (await load_roster(reader)).packs.items()}


# enabling and disabling


async def test_a_pack_that_was_seen_first_is_on_the_roster(sixty: Organisation) -> None:
    assert await decisions(sixty) == dict.fromkeys(["notes", "pins", "sums", "world"], True)
    async with sixty.host.database.snapshot() as reader:
        terms = (await load_roster(reader)).packs["notes"].accepted
    assert terms is not None
    assert "add_note" in terms.tools
    assert "notes" in terms.tables
    assert "notes:read" in terms.permissions
    assert terms == sixty.host.registry.packs["notes"].terms


async def test_a_disabled_pack_is_gone_at_once_and_comes_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("echo", words=["here"])
    assert await sixty.host.disable("world")
    assert "echo" not in await user.tools()
    assert world.STATE.started == 0
    assert sixty.host.registry.absent["world"].state == "disabled"
    assert not await sixty.host.disable("world")
    assert await sixty.host.enable("world") == sixty.host.registry.packs["world"].terms
    assert await sixty.host.enable("world") is None
    assert world.STATE.started == 1
    await user.call("echo", words=["again"])


async def test_a_disabled_pack_stays_out_at_the_next_start_and_is_not_even_imported(
    database_url: str, clock: Clock
) -> None:
    def sixty_tools() -> list[Any]:
        raise AssertionError("it was asked")

    async with open_organisation(database_url, ALL, clock=clock) as sixty:
        await sixty.host.disable("world")
    async with open_organisation(database_url, [("world", plugin(sixty_tools=sixty_tools))], clock=clock) as sixty:
        assert sixty.host.registry.quarantined == {}
        assert sixty.host.registry.absent["world"].state == "disabled"
        with pytest.raises(ToolRemoved, match="went away with the pack world"):
            await sixty.as_role("user").call("echo", words=[])


async def test_grants_come_and_go_with_their_pack(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.principal()).may("world:use")
    await sixty.host.disable("world")
    assert not (await user.principal()).may("world:use")
    await sixty.host.enable("world")
    assert (await user.principal()).may("world:use")


async def test_an_unknown_pack_is_not_found_and_the_nearest_is_named(sixty: Organisation) -> None:
    with pytest.raises(NotFound, match=r"no pack 'wrld' is installed; did you mean 'world'\?"):
        await sixty.host.enable("wrld")
    with pytest.raises(NotFound, match=r"there is no pack 'wrld'; did you mean 'world'\?"):
        await sixty.host.disable("wrld")


async def test_the_core_is_always_there(sixty: Organisation) -> None:
    with pytest.raises(Invalid, match="core cannot be disabled"):
        await sixty.host.disable("core", force=True)
    assert await sixty.host.enable("core") is None


async def test_what_others_need_is_not_disabled_unless_forced(sixty: Organisation) -> None:
    with pytest.raises(Conflict, match="sums has no tool sum_prices") as caught:
        await sixty.host.disable("notes")
    assert "pins has nothing to react to with pin_important_notes" in str(caught.value)
    assert (await decisions(sixty))["notes"]
    await sixty.host.disable("notes", force=True)
    assert list(sixty.host.registry.packs) == ["core", "pins", "sums", "world"]
    assert sixty.host.registry.quarantined == {}
    assert "sum_prices" not in sixty.host.registry.tools
    with pytest.raises(ToolRemoved, match="sum_prices went away with the pack notes"):
        await sixty.as_role("user").call("sum_prices")
    await sixty.host.enable("notes")
    await sixty.as_role("user").call("sum_prices")


async def test_who_waits_for_a_disabled_packs_events_stays_also_at_the_next_start(
    database_url: str, clock: Clock
) -> None:
    async with open_organisation(database_url, ALL, clock=clock) as sixty:
        await sixty.host.disable("notes", force=True)
    async with open_organisation(database_url, ALL, clock=clock) as sixty:
        assert sixty.host.registry.quarantined == {}
        assert "pins" in sixty.host.registry.packs


async def test_a_tool_whose_permission_is_declared_elsewhere_waits_for_it(database_url: str, clock: Clock) -> None:
    declared = [Permissions("things", {"poke": "Poke things"}, {"user": ("things:poke",)})]
    owner = plugin(sixty_permissions=lambda: declared)
    other = plugin(sixty_tools=lambda: [named_tool("poke_thing", permission="things:poke")])
    async with open_organisation(database_url, [("a_poker", other), ("things", owner)], clock=clock) as sixty:
        await sixty.as_role("user").call("poke_thing")
        with pytest.raises(Conflict, match="a_poker has no tool poke_thing"):
            await sixty.host.disable("things")
        await sixty.host.disable("things", force=True)
        assert "a_poker" in sixty.host.registry.packs
        with pytest.raises(ToolRemoved, match="with the pack things"):
            await sixty.as_role("admin").call("poke_thing")


async def test_a_tombstone_names_what_to_use_instead(sixty: Organisation) -> None:
    await sixty.host.disable("pins")
    with pytest.raises(ToolRemoved, match="the tool read_pin went away with the pack pins; use read_note or") as caught:
        await sixty.as_role("user").call("read_pin")
    assert caught.value.details["plugin"] == "pins"
    assert caught.value.details["instead"][0] == "read_note"
    with pytest.raises(UnknownTool):
        await sixty.as_role("user").call("never_there")


# calls in flight


async def test_a_call_in_flight_finishes_on_the_registry_it_started_with(sixty: Organisation) -> None:
    running = asyncio.create_task(sixty.as_role("user").call("wait_for_me", text="in flight"))
    await world.STATE.reached.wait()
    await sixty.host.disable("world")
    assert "wait_for_me" not in sixty.host.registry.tools
    assert world.STATE.started == 1  # nobody has told it to stop
    world.STATE.go_on.set()
    assert (await running)["message"] == "Waited"
    assert await sixty.count(notes.notes) == 1
    await sixty.host.lineup.settled()
    assert world.STATE.started == 0


async def test_a_pack_that_comes_back_while_its_calls_run_was_never_stopped(sixty: Organisation) -> None:
    running = asyncio.create_task(sixty.as_role("user").call("wait_for_me", text="in flight"))
    await world.STATE.reached.wait()
    pack = sixty.host.registry.packs["world"]
    await sixty.host.disable("world")
    await sixty.host.enable("world")
    assert sixty.host.registry.packs["world"] is pack
    assert world.STATE.started == 1
    world.STATE.go_on.set()
    await running


async def test_a_call_that_never_ends_keeps_its_pack_for_a_bounded_time(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.leaving.DRAIN", 0.05)
    running = asyncio.create_task(sixty.as_role("user").call("wait_for_me", text="for ever"))
    await world.STATE.reached.wait()
    await sixty.host.disable("world")
    await sixty.host.lineup.settled()
    assert world.STATE.started == 0
    running.cancel()


async def test_a_tool_may_disable_its_own_pack(database_url: str, clock: Clock) -> None:
    stopped = asyncio.Event()

    @tool("leave", permission=None, effect="update", open_world=True)
    async def leave(args: Nothing, call: Call) -> Result:
        """Leave."""
        await call.host.disable("quitter")
        assert not stopped.is_set()
        return Result(message="I have left")

    async def sixty_stopping(host: Host) -> None:
        stopped.set()

    quitter = plugin(sixty_tools=lambda: [leave], sixty_stopping=sixty_stopping)
    async with open_organisation(database_url, [("quitter", quitter)], clock=clock) as sixty:
        async with asyncio.timeout(5):
            assert (await sixty.as_role("user").call("leave"))["message"] == "I have left"
            await stopped.wait()
        with pytest.raises(ToolRemoved):
            await sixty.as_role("user").call("leave")


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_twenty_rounds_leave_nothing_behind(sixty: Organisation) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    await asyncio.to_thread(int)  # its thread is there from the beginning, and not from the first read that takes long
    await sixty.host.disable("world")
    await sixty.host.enable("world")
    tasks, threads, files = asyncio.all_tasks(), threading.active_count(), open_files()
    for _ in range(20):
        await sixty.host.disable("world")
        await sixty.host.enable("world")
        assert "echo" in sixty.host.registry.tools
    for thread in threading.enumerate():
        if thread.name == "sixty-plugin":
            thread.join(5)
    async with asyncio.timeout(5):  # some end by themselves, such as who sees whether the database still answers
        while len(asyncio.all_tasks()) > len(tasks):
            await asyncio.wait(asyncio.all_tasks() - tasks, return_when=asyncio.FIRST_COMPLETED)
    assert threading.active_count() <= threads
    assert open_files() <= files
    assert world.STATE.started == 1


# packs that fail


def raising() -> Any:
    raise OSError("no such thing")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "hook", ["tools", "tables", "permissions", "settings", "events", "reactions", "views", "search"]
)
async def test_a_declaring_hook_that_raises_or_hangs_takes_nothing_down(
    database_url: str, clock: Clock, stuck: threading.Event, hook: str
) -> None:
    packs = [
        ("broken", plugin(**{f"sixty_{hook}": lambda: raising()})),  # noqa: PLW0108 - an implementation is marked
        ("hangs", plugin(**{f"sixty_{hook}": lambda: stuck.wait()})),  # noqa: PLW0108 - as above
    ]
    async with open_organisation(database_url, [*ALL, *packs], clock=clock) as sixty:
        assert dict(sixty.host.registry.quarantined) == {
            "broken": "OSError: no such thing",
            "hangs": "it did not return within 0.5 seconds",
        }
        await sixty.as_role("user").call("echo", words=["served all the same"])


def sync_raising(host: Host) -> None:
    raise OSError("no such thing")


async def async_raising(host: Host) -> None:
    raise OSError("no such thing")


async def async_exiting(host: Host) -> None:
    raise SystemExit(3)


async def async_hanging(host: Host) -> None:
    await asyncio.Event().wait()


def hanging(stuck: threading.Event) -> Callable[..., Any]:
    def sync_hanging(host: Host) -> None:
        stuck.wait()

    return sync_hanging


HOOKS = [sync_raising, async_raising, async_exiting, async_hanging, None]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__ if hook else "sync_hanging")
async def test_a_pack_that_cannot_start_is_refused_when_it_is_enabled_and_stays_out_later(
    database_url: str, clock: Clock, stuck: threading.Event, hook: Callable[..., Awaitable[None]] | None
) -> None:
    broken = plugin(sixty_tools=lambda: [poke], sixty_started=hook or hanging(stuck))
    async with open_organisation(database_url, [*ALL, ("broken", broken)], clock=clock) as sixty:
        assert "it did not start" in sixty.host.registry.quarantined["broken"]
        assert "poke" not in sixty.host.registry.tools
        with pytest.raises(PluginError, match="it did not start"):
            await sixty.host.enable("broken")
        await sixty.as_role("user").call("echo", words=["served all the same"])


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__ if hook else "sync_hanging")
async def test_a_pack_that_cannot_stop_is_gone_all_the_same(
    database_url: str, clock: Clock, stuck: threading.Event, hook: Callable[..., Awaitable[None]] | None
) -> None:
    broken = plugin(sixty_tools=lambda: [poke], sixty_stopping=hook or hanging(stuck))
    async with open_organisation(database_url, [*ALL, ("broken", broken)], clock=clock) as sixty:
        await sixty.host.disable("broken")
        assert "poke" not in sixty.host.registry.tools
        await sixty.host.enable("broken")
        await sixty.as_role("user").call("poke")


async def test_enabling_a_pack_that_collides_is_refused_and_changes_nothing(sixty: Organisation) -> None:
    sixty.host.lineup._candidates._given["rival"] = plugin(sixty_tools=lambda: [named_tool("echo")])
    with pytest.raises(PluginError, match="the tool echo already belongs to world"):
        await sixty.host.enable("rival")
    assert "rival" not in await decisions(sixty)


async def test_who_came_first_keeps_its_name_and_who_collides_is_quarantined(sixty: Organisation) -> None:
    sixty.host.lineup._candidates._given["a_rival"] = plugin(sixty_tools=lambda: [named_tool("echo")])
    await sixty.host.refresh()
    assert sixty.host.registry.quarantined == {"a_rival": "the tool echo already belongs to world"}
    await sixty.host.disable("world")
    assert sixty.host.registry.quarantined == {}
    assert sixty.host.registry.pack_of[sixty.host.registry.tools["echo"]].name == "a_rival"
    with pytest.raises(PluginError, match="the tool echo already belongs to a_rival"):
        await sixty.host.enable("world")


async def test_a_migration_that_fails_half_way_leaves_nothing_and_the_pack_disabled(
    sixty: Organisation, tmp_path: Path
) -> None:
    (tmp_path / "0001_things.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('things', sa.Column('id', sa.Integer))\n    raise ValueError('half-way')\n"
    )
    metadata = sa.MetaData()
    things = sa.Table("things", metadata, sa.Column("id", sa.Integer))
    broken = plugin(sixty_tables=lambda: Tables(metadata, migrations=tmp_path))
    sixty.host.lineup._candidates._given["broken"] = broken
    with pytest.raises(PluginError, match="its migration failed: ValueError: half-way"):
        await sixty.host.enable("broken")
    assert "broken" not in await decisions(sixty)
    with pytest.raises(Exception, match="things"):
        await sixty.count(things)


async def test_a_pack_with_tables_is_migrated_when_it_is_enabled(sixty: Organisation) -> None:
    metadata = sa.MetaData()
    things = sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sixty.host.lineup._candidates._given["things"] = plugin(sixty_tables=lambda: Tables(metadata))
    terms = await sixty.host.enable("things")
    assert terms is not None
    assert terms.tables == ("things",)
    assert await sixty.count(things) == 0


async def test_a_pack_that_takes_the_cores_name_stays_out(database_url: str, clock: Clock) -> None:
    async with open_organisation(database_url, [("core", plugin(sixty_tools=lambda: [poke]))], clock=clock) as sixty:
        assert sixty.host.registry.quarantined == {"core": "the name core is the core's own"}
        assert "search_crm" in sixty.host.registry.tools


async def test_a_failed_pack_is_not_tried_again_before_somebody_decides(database_url: str, clock: Clock) -> None:
    tried = 0

    def sixty_tools() -> list[Any]:
        nonlocal tried
        tried += 1
        raise OSError("no luck")

    async with open_organisation(database_url, [*ALL, ("broken", plugin(sixty_tools=sixty_tools))]) as sixty:
        await sixty.host.refresh()
        await sixty.host.disable("world")
        assert tried == 1
        with pytest.raises(PluginError, match="no luck"):
            await sixty.host.enable("broken")
        assert tried == 2


async def test_another_version_of_what_is_loaded_needs_a_restart(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(version: str) -> None:
        entry = EntryPoint("sums", "fakes.sums", lifecycle_module.GROUP)._for(SimpleNamespace(version=version))
        monkeypatch.setattr(lifecycle_module, "entry_points", lambda **_: [entry])

    installed("1.0")
    async with open_organisation(database_url, clock=clock) as sixty:
        assert sixty.host.registry.packs["sums"].version == "1.0"
        installed("2.0")
        await sixty.host.refresh()
        assert sixty.host.registry.packs["sums"].version == "1.0"
        await sixty.host.disable("sums")
        with pytest.raises(
            PluginError, match=r"version 2\.0 is installed, and this process has loaded 1\.0; restart it"
        ):
            await sixty.host.enable("sums")


async def test_a_pack_that_two_distributions_have_is_quarantined(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("sums", "fakes.sums", lifecycle_module.GROUP)
    monkeypatch.setattr(lifecycle_module, "entry_points", lambda **_: [entry, entry])
    async with open_organisation(database_url, clock=clock) as sixty:
        assert sixty.host.registry.quarantined == {"sums": "two distributions have a plugin 'sums'"}


async def test_what_is_not_allowed_stays_out_also_while_it_runs(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [EntryPoint("notes", "fakes.notes", lifecycle_module.GROUP)]
    monkeypatch.setattr(lifecycle_module, "entry_points", lambda **_: entries)
    only = {"SIXTY_PLUGINS": "notes"}
    async with open_organisation(database_url, clock=clock, environ=only) as sixty:
        entries.append(EntryPoint("sums", "fakes.sums", lifecycle_module.GROUP))
        await sixty.host.refresh()
        assert list(sixty.host.registry.packs) == ["core", "notes"]
        with pytest.raises(PluginError, match="SIXTY_PLUGINS does not name sums"):
            await sixty.host.enable("sums")
        await sixty.host.disable("notes")
        assert sixty.host.registry.absent["sums"].state == "not allowed"


async def test_a_pack_that_was_installed_meanwhile_is_found(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries: list[EntryPoint] = []
    monkeypatch.setattr(lifecycle_module, "entry_points", lambda **_: entries)
    async with open_organisation(database_url, clock=clock) as sixty:
        entries.append(EntryPoint("notes", "fakes.notes", lifecycle_module.GROUP))
        await sixty.host.enable("notes")
        await sixty.as_role("user").call("add_note", text="served")
        entries.clear()
        await sixty.host.refresh()
        assert list(sixty.host.registry.packs) == ["core"]


# what was accepted


async def test_a_pack_that_asks_for_more_waits_until_that_is_accepted(database_url: str, clock: Clock) -> None:
    more = [Permissions("things", {"poke": "Poke things"}, {"user": ("things:poke",)})]
    small, large = (
        plugin(sixty_tools=lambda: [poke]),
        plugin(sixty_tools=lambda: [poke, named_tool("poke_hard")], sixty_permissions=lambda: more),
    )
    async with open_organisation(database_url, [("poker", small)], clock=clock):
        pass
    async with open_organisation(database_url, [("poker", large)], clock=clock) as sixty:
        absent = sixty.host.registry.absent["poker"]
        assert absent.state == "waiting"
        for asked in (
            "the tool poke_hard",
            "the permission things:poke (Poke things)",
            "things:poke for the role user",
        ):
            assert asked in absent.reason
        with pytest.raises(Conflict, match="asks for more than was accepted: the tool poke_hard"):
            await sixty.host.enable("poker")
        await sixty.host.enable("poker", accept=True)
        assert "poke_hard" in sixty.host.registry.tools
    async with open_organisation(database_url, [("poker", small)], clock=clock) as sixty:
        assert "poker" in sixty.host.registry.packs  # it asks for less, and only that is accepted from now on
    async with open_organisation(database_url, [("poker", large)], clock=clock) as sixty:
        assert sixty.host.registry.absent["poker"].state == "waiting"


async def test_automation_is_something_to_be_accepted(database_url: str, clock: Clock) -> None:
    def with_reaction(*may: str) -> Any:
        @on("note.added", may=may)
        async def react(event: Event, call: Call) -> None:
            """React."""

        return plugin(sixty_reactions=lambda: [react])

    async with open_organisation(database_url, [*ALL, ("poker", with_reaction())], clock=clock):
        pass
    async with open_organisation(database_url, [*ALL, ("poker", with_reaction("notes:update"))], clock=clock) as sixty:
        assert "to act under notes:update" in sixty.host.registry.absent["poker"].reason
