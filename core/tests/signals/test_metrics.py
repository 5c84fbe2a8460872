"""What packs declare is counted once it is committed, and asked of the database now and then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import batch, notes, world
from fakes.notes import NoteAdded

from sixty import Conflict, Counter, Event, Gauge, Histogram, Metric, Reading, hookimpl
from sixty.crm import DealCreated
from sixty.lifecycle import assemble, core, load
from sixty.signals import gauges
from sixty.storage.database import StaleWrite
from sixty.tables import users

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scraped

    from sixty.testing import Organisation
    from sixty.testing.clock import Clock


class Told:
    """A pack that shows what a test says."""

    def __init__(self, *metrics: Metric) -> None:
        self.metrics = metrics

    @hookimpl
    def sixty_metrics(self) -> tuple[Metric, ...]:
        return self.metrics


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("batch", batch), ("world", world))


def show(sixty: Organisation, *metrics: Metric) -> None:
    """Let the pack `notes` show these metrics and no others."""
    packs = sixty.host.registry.packs
    packs = {**packs, "notes": replace(packs["notes"], metrics=metrics)}
    sixty.host.registry = replace(sixty.host.registry, packs=packs)


# events


async def test_an_event_is_counted_and_measured(sixty: Organisation, scraped: Scraped) -> None:
    assert (await scraped.samples())["notes_added_total"] == 0
    user = sixty.as_role("user")
    for text in ("abc", "abcdef", "nothing"):
        await user.call("add_note", text=text)
    samples = await scraped.samples()
    assert samples["notes_added_total"] == 3
    assert samples["notes_length_characters_count"] == 2
    assert samples["notes_length_characters_sum"] == 9
    assert [samples[f"notes_length_characters_bucket le={bound}"] for bound in ("2.0", "4.0", "8.0")] == [0, 1, 2]


@pytest.mark.parametrize("look", [False, True], ids=["collected", "in a transaction"])
async def test_what_a_savepoint_takes_back_is_not_counted(sixty: Organisation, scraped: Scraped, *, look: bool) -> None:
    await sixty.as_role("user").call("add_notes", texts=["good", "bad", "better", "bad too"], look=look)
    assert (await scraped.samples())["notes_added_total"] == 2


async def test_a_call_that_is_rolled_back_counts_nothing(
    sixty: Organisation, scraped: Scraped, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: object) -> None:
        raise StaleWrite

    with monkeypatch.context() as patch:
        patch.setattr(sixty.host.database, "apply", refuse)
        with pytest.raises(Conflict):
            await sixty.as_role("user").call("add_note", text="in vain")
    assert (await scraped.samples())["notes_added_total"] == 0


async def test_a_call_that_runs_anew_counts_once(
    sixty: Organisation, scraped: Scraped, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, tries = sixty.host.database.apply, 0

    async def refuse_once(writes: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise StaleWrite
        await apply(writes)

    with monkeypatch.context() as patch:
        patch.setattr(sixty.host.database, "apply", refuse_once)
        await sixty.as_role("user").call("add_note", text="again")
    assert (tries, (await scraped.samples())["notes_added_total"]) == (2, 1)


async def test_a_call_that_is_answered_again_counts_once(sixty: Organisation, scraped: Scraped) -> None:
    user = sixty.as_role("user").keyed("once")
    for _ in range(2):
        await user.call("add_note", text="once")
    assert (await scraped.samples())["notes_added_total"] == 1


async def test_a_metric_that_fails_is_logged_and_fails_no_call(
    sixty: Organisation, scraped: Scraped, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Event) -> float:
        raise ZeroDivisionError

    show(sixty, Histogram(name="notes_broken", description="It fails.", event=NoteAdded, value=fail))
    await sixty.as_role("user").call("add_note", text="well")
    assert (await scraped.samples())["notes_broken_count"] == 0
    assert "the event note.added could not be observed" in caplog.text


# tables


async def test_a_gauge_sums_up_whoever_the_records_belong_to(sixty: Organisation, scraped: Scraped) -> None:
    for role in ("user", "admin"):
        await sixty.as_role(role).call("add_note", text="mine")
    assert (await scraped.samples())["notes_kept mood=calm"] == 2


async def test_a_gauge_is_asked_every_fifteen_seconds_at_the_most(
    sixty: Organisation, scraped: Scraped, clock: Clock
) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="one")
    assert (await scraped.samples())["notes_kept mood=calm"] == 1
    await user.call("add_note", text="two")
    clock.advance(timedelta(seconds=14))
    assert (await scraped.samples())["notes_kept mood=calm"] == 1
    clock.advance(timedelta(seconds=1))
    assert (await scraped.samples())["notes_kept mood=calm"] == 2


async def test_a_database_that_hangs_leaves_the_last_figures_for_a_while(
    sixty: Organisation, scraped: Scraped, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sixty.as_role("user").call("add_note", text="one")
    await scraped.samples()

    async def hang(*_: object) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(gauges, "PATIENCE", 0.01)
    monkeypatch.setattr(sixty.host.database, "rows", hang)
    clock.advance(gauges.EVERY)
    assert (await scraped.samples())["notes_kept mood=calm"] == 1
    clock.advance(gauges.KEEP)
    samples = await scraped.samples()
    assert "notes_kept mood=calm" not in samples
    assert samples["notes_added_total"] == 1


async def test_a_gauge_that_cannot_be_asked_is_logged_and_the_others_are_asked(
    sixty: Organisation, scraped: Scraped, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = sa.select(sa.func.count().label("value")).select_from(sa.table("nowhere"))
    broken = Gauge(name="broken", description="It reads a table that is not there.", select=nowhere)
    show(sixty, broken, *notes.sixty_metrics())
    await sixty.as_role("user").call("add_note", text="one")
    for _ in range(2):
        samples = await scraped.samples()
        assert samples["notes_kept mood=calm"] == 1
        sixty.clock.advance(gauges.EVERY)
    assert caplog.text.count("the gauge broken cannot be asked") == 1


# the core


async def test_jobs_audit_connections_and_version_are_shown(sixty: Organisation, scraped: Scraped) -> None:
    await sixty.as_role("user").call("find_notes")
    samples = await scraped.samples()
    assert {name: samples[f"sixty_jobs state={name}"] for name in ("waiting", "running", "failed")} == {
        "waiting": 0,
        "running": 0,
        "failed": 0,
    }
    assert samples["sixty_audit_waiting"] == 1
    assert samples["sixty_audit_lost_total"] == 0
    assert [value for name, value in samples.items() if name.startswith("sixty_build_info version=")] == [1]
    states = {f"sixty_database_connections state={state}" for state in ("busy", "idle")}
    assert (states <= samples.keys()) == (sixty.host.database.dialect_name == "postgresql")


async def test_connections_are_busy_while_somebody_has_them(sixty: Organisation, scraped: Scraped) -> None:
    if sixty.host.database.dialect_name == "sqlite":
        pytest.skip("there is no server to be connected to")
    before = await scraped.samples()
    async with sixty.host.database.snapshot():
        during = await scraped.samples()
    busy = "sixty_database_connections state=busy"
    assert during[busy] == before[busy] + 1 == (await scraped.samples())[busy] + 1


async def test_a_reading_that_fails_is_left_out(
    sixty: Organisation, scraped: Scraped, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> float:
        raise ZeroDivisionError

    show(
        sixty,
        Reading(name="broken", description="It fails.", read=fail),
        Reading(name="nothing", description="There is nothing to show.", read=lambda _: None),
        Reading(name="two", description="There is.", read=lambda _: 2),
    )
    samples = await scraped.samples()
    assert samples["two"] == 2
    assert samples.keys().isdisjoint({"broken", "nothing"})
    assert "the metric broken cannot be read" in caplog.text


# packs come and go


async def test_the_metrics_of_a_pack_go_and_come_with_it(sixty: Organisation, scraped: Scraped) -> None:
    await sixty.as_role("user").call("add_note", text="one")
    whole = sixty.host.registry
    rest = {name: pack for name, pack in whole.packs.items() if name == "core"}
    sixty.host.registry = replace(whole, packs=rest)
    assert not [name for name in await scraped.samples() if name.startswith("notes_")]
    sixty.host.registry = whole
    samples = await scraped.samples()
    assert (samples["notes_added_total"], samples["notes_kept mood=calm"]) == (0, 1)


# what is refused

_USERS = sa.select(sa.func.count().label("value")).select_from(users)


def _reading(name: str) -> Callable[[], Metric]:
    return lambda: Reading(name=name, description="One.", read=lambda _: 1)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (_reading("Told_One"), "snake_case"),
        (_reading("sixty_told"), "begins like those of the core"),
        (_reading("told_sum"), "like a part of another metric"),
        (_reading("told_sum_total"), "like a part of another metric"),
        (lambda: Reading(name="told", description="", read=lambda _: 1), "no description"),
        (lambda: Counter(name="told", description="One.", event=DealCreated), "must end in _total"),
        (lambda: Gauge(name="told_total", description="One.", select=_USERS), "must not end in _total"),
        (lambda: Gauge(name="told", description="One.", select=sa.select(sa.literal(1).label("n"))), "column `value`"),
        (
            lambda: Gauge(
                name="told",
                description="One.",
                select=sa.select(sa.literal(1).label("value"), sa.literal(2).label("A")),
            ),
            "snake_case",
        ),
        (lambda: Gauge(name="told", description="One.", select=_USERS), "reads users, a table that is not its pack's"),
        (
            lambda: Histogram(name="told", description="One.", event=DealCreated, value=lambda _: 1, buckets=(2, 1)),
            "must rise",
        ),
        (lambda: Counter(name="told_total", description="One.", event=Unheard), "an event that nobody publishes"),
        (_reading("notes_kept"), "already belongs to notes"),
        (_reading("notes_length_characters"), "already belongs to notes"),
    ],
)
def test_a_metric_that_cannot_be_shown_quarantines_its_pack(metric: Callable[[], Metric], reason: str) -> None:
    packs = [load("notes", notes, {}), load("told", Told(metric()), {})]
    assert reason in assemble(core({}), packs, {}).quarantined["told"]


class Unheard(Event):
    name = "told.unheard"
