"""What a pack says of its jobs and schedules is checked when it loads, and shown to whoever accepts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import errands
from fakes.errands import Errand, despair, errand
from fakes.making import plugin

from sixty import Job, Schedule, Work, job
from sixty.errors import PluginError
from sixty.lifecycle import assemble, core, load
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Callable


async def handler(args: Errand, work: Work) -> None:
    """Do something."""


async def mute(args: Errand, work: Work) -> None:
    pass


async def bare(args: dict[str, Any], work: Work) -> None:
    """Do something with anything."""


def sync(args: Errand, work: Work) -> None:
    """Do something at once."""


def quarantined(**hooks: Callable[..., Any]) -> str | None:
    pack = load("fake", plugin(**hooks), {})
    return assemble(core({}), [pack], {}).quarantined.get("fake")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (job("Shop")(handler), "the name 'Shop' of a job must be snake_case"),
        (job("shop")(mute), "the job shop has no description"),
        (job("shop", timeout=0)(handler), "must have a timeout above 0"),
        (job("shop", retry=(1, -1))(handler), "no negative seconds"),
    ],
)
def test_a_job_that_is_not_as_it_should_be_is_refused(declared: Job, message: str) -> None:
    assert message in (quarantined(sixty_jobs=lambda: [declared]) or "")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: job("shop")(bare), "must take `args` with a model"),
        (lambda: job("shop")(sync), "must be an async function"),
        (lambda: job("shop", failed=sync)(handler), "`failed` of the job shop must be an async function"),
    ],
)
def test_a_function_that_cannot_be_a_job_is_refused(make: Callable[[], Job], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        make()


def test_a_job_that_is_declared_twice_is_refused() -> None:
    assert "job fake.errand is declared twice" in (quarantined(sixty_jobs=lambda: [errand, errand]) or "")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Schedule("Daily", cron="0 6 * * *", job=errand, payload={"label": "x"}), "'Daily' of a schedule must be"),
        (Schedule("daily", cron="0 6 * *", job=errand, payload={"label": "x"}), "must have 5 fields"),
        (Schedule("daily", cron="0 26 * * *", job=errand, payload={"label": "x"}), "is no cron expression: Bad hour"),
        (
            Schedule("daily", cron="0 0 31 2,4 *", job=errand, payload={"label": "x"}),
            "no cron expression: Bad day-of-month",
        ),
        (Schedule("daily", cron="0 6 * * *", job=errand), "the argument 'label' is missing"),
        (Schedule("daily", cron="0 6 * * *", job=job("other")(handler), payload={"label": "x"}), "must return"),
    ],
)
def test_a_schedule_that_is_not_as_it_should_be_is_refused(schedule: Schedule, message: str) -> None:
    reason = quarantined(sixty_jobs=lambda: [errand], sixty_schedules=lambda: [schedule])
    assert message in (reason or "")


def test_two_packs_may_have_jobs_of_the_same_name() -> None:
    packs = [load(name, errands, {}) for name in ("one", "two")]
    registry = assemble(core({}), [packs[0]], {})
    assert {"core.clear_expired", "one.errand"} <= registry.jobs.keys()
    other = plugin(sixty_jobs=lambda: [job("errand", failed=despair)(handler)])
    both = assemble(core({}), [packs[0], load("two", other, {})], {})
    assert both.quarantined == {}
    assert both.jobs["one.errand"] != both.jobs["two.errand"]


async def test_an_operator_accepts_what_is_done_later_and_by_itself(database_url: str) -> None:
    async with open_organisation(database_url, [("errands", errands)]) as organisation:
        terms = organisation.host.registry.packs["errands"].terms
        assert {"the job errand", "the schedule rounds"} <= set(terms.asks)
        assert terms.beyond(type(terms)()).schedules == ("rounds",)


@pytest.mark.parametrize("retry", [(5, 60), [5, 60], lambda host: host.settings.webhook_retries])
async def test_a_plan_is_given_or_found_in_the_settings_of_the_operator(retry: Any, database_url: str) -> None:
    async with open_organisation(database_url, environ={"SIXTY_WEBHOOK_RETRIES": "5, 60"}) as sixty:
        assert job("shop", retry=retry)(handler).plan(sixty.host) == (5, 60)
