"""Several hosts on one database, as several processes are: what one decides reaches the others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import ALL, world
from fakes.making import plugin

from sixty import Tables
from sixty.call import call_tool
from sixty.errors import ToolRemoved, Unauthenticated, Unavailable, UnknownTool
from sixty.people import add_user, disable_user, set_role
from sixty.request import Request
from sixty.shared_secrets import shared_secret
from sixty.storage.database import open_database
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sixty.storage.database import Database
    from sixty.testing import Clock, Organisation

SOON = 5.0
"""Seconds after which a test gives up; a second is what is promised."""


class Told:
    """An observer that can be waited for."""

    def __init__(self) -> None:
        self.lists = self.records = 0
        self._changed = asyncio.Condition()

    async def lists_may_have_changed(self) -> None:
        self.lists += 1
        await self._wake()

    async def records_may_have_changed(self) -> None:
        self.records += 1
        await self._wake()

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON), self._changed:
            await self._changed.wait_for(condition)


@asynccontextmanager
async def two(database_url: str, clock: Clock) -> AsyncIterator[tuple[Organisation, Organisation]]:
    async with (
        open_organisation(database_url, ALL, clock=clock) as here,
        open_organisation(database_url, ALL, clock=clock) as there,
    ):
        yield here, there


async def test_what_is_disabled_and_enabled_here_reaches_another_host(database_url: str, clock: Clock) -> None:
    async with two(database_url, clock) as (here, there):
        told = Told()
        async with there.host.watching(told):
            await here.host.disable("world")
            await told.until(lambda: "echo" not in there.host.registry.tools)
            with pytest.raises(ToolRemoved):
                await there.as_role("user").call("echo", words=[])
            await here.host.enable("world")
            await told.until(lambda: "echo" in there.host.registry.tools)
            await there.as_role("user").call("echo", words=["both"])
            assert world.STATE.started == 2


async def test_a_swap_here_is_told_at_once(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixty.watch.EVERY", 3600.0)
    one, two = Told(), Told()
    async with sixty.host.watching(one), sixty.host.watching(two):
        await sixty.host.disable("world")
        await one.until(lambda: one.lists == 1)
        await two.until(lambda: two.lists == 1)
        await sixty.host.refresh()  # nothing has changed
        await sixty.host.enable("world")
        await one.until(lambda: one.lists == 2)


async def test_a_changed_role_and_a_written_record_are_told_elsewhere(database_url: str, clock: Clock) -> None:
    async with two(database_url, clock) as (here, there):
        told = Told()
        async with there.host.watching(told):
            await add_user(here.host.database, email="ann@example.com", name="Ann", now=clock())
            await told.until(lambda: told.lists == 1)
            await set_role(here.host.database, "ann@example.com", "admin")
            await told.until(lambda: told.lists == 2)
            before = told.records
            await here.as_role("user").call("add_note", text="hello")
            await told.until(lambda: told.records > before)
            assert told.lists == 2


async def test_own_writes_are_told_too(sixty: Organisation) -> None:
    told = Told()
    async with sixty.host.watching(told):
        await sixty.as_role("user").call("add_note", text="hello")
        await told.until(lambda: told.records > 0)


async def test_an_observer_that_fails_or_is_slow_keeps_nobody_waiting(sixty: Organisation) -> None:
    class Failing(Told):
        async def lists_may_have_changed(self) -> None:
            await super().lists_may_have_changed()
            raise RuntimeError("cannot tell anybody")

    class Slow(Told):
        async def lists_may_have_changed(self) -> None:
            await asyncio.Event().wait()

    failing, told = Failing(), Told()
    async with sixty.host.watching(Slow()), sixty.host.watching(failing), sixty.host.watching(told):
        for count, change in enumerate((sixty.host.disable, sixty.host.enable), 1):
            await change("world")
            await told.until(lambda count=count: told.lists >= count)
            await failing.until(lambda count=count: failing.lists >= count)


async def test_a_database_that_is_away_for_a_while_is_watched_again(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sixty.watch.EVERY", 0.01)
    told, asked, look = Told(), asyncio.Event(), sixty.host.database.look
    failures = 0

    async def away(*_: Any) -> Any:
        nonlocal failures
        failures += 1
        if failures == 3:
            asked.set()
        raise Unavailable("away")

    async with sixty.host.watching(told):
        monkeypatch.setattr(sixty.host.database, "look", away)
        await asked.wait()
        await sixty.as_role("user").call("add_note", text="written meanwhile")
        monkeypatch.setattr(sixty.host.database, "look", look)
        await told.until(lambda: told.records > 0)
    messages = [record.message for record in caplog.records if record.name == "sixty.watch"]
    assert len([message for message in messages if "cannot be watched" in message]) == 1


async def test_nobody_who_watches_leaves_nothing_running(sixty: Organisation) -> None:
    before = asyncio.all_tasks()
    async with sixty.host.watching(Told()), sixty.host.watching(Told()):
        assert asyncio.all_tasks() - before
    if ending := asyncio.all_tasks() - before:  # who sees whether the database still answers goes by itself
        await asyncio.wait(ending, timeout=5.0)
    assert not asyncio.all_tasks() - before


# reading through


async def test_who_asks_for_what_is_newest_gets_it_before_the_watch_has_looked(database_url: str, clock: Clock) -> None:
    async with two(database_url, clock) as (here, there):
        user = there.as_role("user")
        before = await user.principal()
        await here.host.disable("world")
        assert not there.host.behind  # nobody has looked
        await user.principal()
        assert there.host.behind
        principal = await there.host.current(before)
        assert not there.host.behind
        assert not principal.may("world:use")
        assert "echo" not in [tool.name for tool in there.host.registry.visible("tool", principal)]
        assert await there.host.current(principal) is principal


async def test_who_was_authenticated_before_packs_changed_may_what_they_may_now(
    database_url: str, clock: Clock
) -> None:
    async with two(database_url, clock) as (here, there):
        await here.host.disable("world")
        await there.host.refresh()
        before = await there.as_role("user").principal()
        await here.host.enable("world")
        await there.host.refresh()
        request = Request("say_nothing", {}, principal=before)
        assert not (await call_tool(there.host, request)).is_error
        assert (await there.host.current(before)).may("world:use")


async def test_so_does_who_asks_while_an_earlier_change_is_still_being_followed(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*_: Any) -> None:
        read.set()
        await go_on.wait()

    async with two(database_url, clock) as (here, there):
        user = there.as_role("user")
        await here.host.disable("world")
        with monkeypatch.context() as patch:
            patch.setattr(there.host.lineup, "_remember", slowly)
            there.host.lineup.follow()
            await read.wait()
        assert not there.host.behind
        await here.host.enable("world")
        asking = asyncio.create_task(there.host.current(await user.principal()))
        await asyncio.sleep(0)
        go_on.set()
        assert (await asking).may("world:use")
        assert "echo" in there.host.registry.tools


async def test_whoever_is_disabled_meanwhile_is_nobody(database_url: str, clock: Clock) -> None:
    async with two(database_url, clock) as (here, there):
        ann = await there.user("Ann")
        principal = await ann.principal()
        await here.host.disable("world")
        await disable_user(here.host.database, "ann@example.com", now=clock())
        await there.as_role("user").principal()
        with pytest.raises(Unauthenticated):
            await there.host.current(principal)


async def test_a_tool_that_was_just_enabled_elsewhere_is_found(database_url: str, clock: Clock) -> None:
    async with two(database_url, clock) as (here, there):
        await here.host.disable("world")
        await there.host.refresh()
        await here.host.enable("world")
        await there.as_role("user").call("echo", words=["found"])
        with pytest.raises(UnknownTool):
            await there.as_role("user").call("never_there")


async def test_what_another_host_has_migrated_disturbs_no_write(database_url: str, clock: Clock) -> None:
    metadata = sa.MetaData()
    sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True))
    things = [*ALL, ("things", plugin(sixty_tables=lambda: Tables(metadata)))]
    async with open_organisation(database_url, ALL, clock=clock) as there:
        await set_role(there.host.database, "uma.user@example.com", "manager")
        async with open_organisation(database_url, things, clock=clock) as here:
            note = await here.as_role("admin").call("add_note", text="soon gone")
        await there.as_role("admin").call("delete_record", id=note["note"]["id"])


async def test_both_hosts_share_a_secret_and_two_names_do_not(database_url: str) -> None:
    here, there = await open_database(database_url), await open_database(database_url)
    try:
        made = await asyncio.gather(*(shared_secret(each, "signing") for each in (here, there, here, there)))
        other = await shared_secret(here, "other")
    finally:
        await here.close()
        await there.close()
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert other != made[0]


# being told


async def test_a_list_change_is_told_once_also_to_who_was_cut_off_from_the_database_meanwhile(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.storage.notices.AWAY", 0.05)
    async with two(database_url, clock) as (here, there):
        told = Told()
        async with there.host.watching(told):
            for count in range(1, 6):
                await cut_off(here.host.database)
                await (here.host.disable if count % 2 else here.host.enable)("world")
                user = there.as_role("user")
                await there.host.current(await user.principal())
                assert ("echo" in await user.tools()) == (count % 2 == 0)  # never the old list
                await told.until(lambda count=count: told.lists >= count)
            before = told.records
            await here.as_role("user").call("add_note", text="everything before this was seen")
            await told.until(lambda: told.records > before)
            assert told.lists == 5


async def test_who_is_told_does_not_wait_for_the_next_look(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("nobody is told on SQLite")
    monkeypatch.setattr("sixty.watch.SELDOM", 3600.0)
    async with two(database_url, clock) as (here, there):
        told = Told()
        async with there.host.watching(told):
            for count in range(1, 4):
                await set_role(here.host.database, "uma.user@example.com", "manager" if count % 2 else "user")
                await told.until(lambda count=count: told.lists >= count)


async def cut_off(database: Database) -> None:
    """Nobody on this database hears anything for a moment."""
    if database.dialect_name == "postgresql":
        activity = sa.table("pg_stat_activity", sa.column("pid"), sa.column("query"), sa.column("datname"))
        listening = activity.c.query.ilike("LISTEN%"), activity.c.datname == sa.func.current_database()
        await database.rows(sa.select(sa.func.pg_terminate_backend(activity.c.pid)).where(*listening))
