"""Scale: how long tools take as deals become a million, and what a second client notices meanwhile.

An organisation of 200 people in 20 teams, its deals and three times as many activities (`benchmarks.pipeline`), on
each database; an admin, a manager and a seller ask, while somebody else reads records without pause.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice, product
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks import databases, wire
from benchmarks.bulk import fill
from benchmarks.onlooker import Caller, onlooker
from benchmarks.organisation import Organisation, sixty
from benchmarks.pipeline import PRODUCTS, TEAMS, Pipeline
from benchmarks.processes import free_port, running
from benchmarks.report import RESULTS, Growth, Report, Target
from benchmarks.turns import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.options import Options

QUICK, SHORT, MIDDLING, LONG = (50, 20), (50, 50), (300, 300), (1_000, 1_000)
PAST = (5_000, 5_000)
BESIDE = 20
"""Milliseconds that the 95th percentile of the second client may take."""
WARM_UP = 2
MANY = 1_000
"""Records that the second client reads in turn."""


@dataclass(frozen=True)
class Question:
    """One tool, asked in one way with varied arguments, and the milliseconds it may take: must and aim."""

    name: str
    tool: str
    arguments: Sequence[Mapping[str, Any]]
    bound: tuple[int, int]


Taken = tuple[Question, str, list[float], list[float]]


def measured(options: Options) -> Report:
    """What every question took, at each size, on each database."""
    growths: dict[str, Growth] = defaultdict(dict)
    targets: list[Target] = []
    for name in dict(databases.each(RESULTS)):
        for size in options.sizes:
            with dict(databases.each(RESULTS))[name] as database:
                taken = list(asked(database, size, options.calls))
            for question, who, waits, beside in taken:
                told = f"{name}, {who}: {question.name}"
                growths[told][size] = (median(waits), p95(waits), p95(beside))
                if size == max(options.sizes):
                    must, aim = question.bound
                    targets.append(Target(told, p95(waits), must=must, aim=aim, upper=True))
            if size == max(options.sizes):
                worst = max(p95(beside) for *_, beside in taken)
                targets.append(Target(f"{name}: get_record beside", worst, must=BESIDE, aim=BESIDE, upper=True))
    return Report([], {}, targets, growths=dict(growths))


def asked(database: str, size: int, calls: int) -> Iterator[Taken]:
    """Each question and who asked it, with the milliseconds that it and that the second client's reads took."""
    organisation = Organisation.at(database)
    pipeline = Pipeline(size, time.time())
    say(f"Filling {database.partition(':')[0]} with {size:,} deals ...")
    began = time.perf_counter()
    fill(database, chain([pipeline.staff()], pipeline.chunks()))
    say(f"... in {time.perf_counter() - began:.0f} s")
    yield from answered(organisation, [str(UUID(bytes=person)) for person in pipeline.people], calls)


def answered(organisation: Organisation, people: list[str], calls: int) -> Iterator[Taken]:
    """The same, of an organisation that has all these people and its deals."""
    tokens = {
        "admin": organisation.admin,
        "manager": token(organisation, "person0"),
        "seller": token(organisation, f"person{TEAMS}"),
    }
    port = free_port()
    with running(organisation.over_http(port), port, organisation.settings):
        offered = {tool["name"] for tool in wire.ask(port, tokens["seller"], "tools/list")["tools"]}
        offered |= {tool["name"] for tool in wire.ask(port, tokens["admin"], "tools/list")["tools"]}
        with onlooker(port, organisation.admin, deals_of(port, organisation.admin)) as other:
            for who, question in product(tokens, questions(people, calls)):
                if question.tool not in offered or (who == "seller" and question.bound[0] >= LONG[0]):
                    continue  # a seller sees no figures of others
                caller = Caller(port, tokens[who])
                for arguments in question.arguments[:WARM_UP]:
                    caller.took(question.tool, arguments)
                other.waited()
                waits = [caller.took(question.tool, arguments) for arguments in question.arguments]
                beside = other.waited()
                say(f"{who}: {question.name}: {median(waits):.1f}, p95 {p95(waits):.1f}; beside {p95(beside):.1f} ms")
                yield question, who, waits, beside


def questions(owners: list[str], calls: int) -> Iterator[Question]:
    """What is asked, so many times each."""
    today = datetime.now(UTC).date()

    def varied(**choices: Sequence[Any]) -> list[dict[str, Any]]:
        return [{name: values[turn % len(values)] for name, values in choices.items()} for turn in range(calls)]

    rare = [str(37 * number + 5) for number in range(calls)]
    both = [f"{product} {number}" for product, number in zip(PRODUCTS * calls, rare, strict=False)]
    stages, values = ["sql", "opportunity", "verbal", "signed"], list(range(10_000, 200_000, 7_000))
    search = "search_deals"
    yield Question("search_deals, the newest", search, varied(limit=[25, 50]), QUICK)
    yield Question("search_deals, a rare word", search, varied(query=rare), QUICK)
    yield Question("search_deals, two words", search, varied(query=both), QUICK)
    yield Question("search_deals, a common word", search, varied(query=[*PRODUCTS, "acme", "vand"]), QUICK)
    yield Question("search_deals, a stage", search, varied(stage=stages), QUICK)
    yield Question("search_deals, a stage that is open", search, varied(stage=stages[:3], status=["open"]), QUICK)
    yield Question("search_deals, an owner", search, varied(owner_id=owners), QUICK)
    yield Question("search_deals, an owner and a stage", search, varied(owner_id=owners, stage=stages), QUICK)
    yield Question("search_deals, a least value", search, varied(min_value=values), QUICK)
    yield Question("search_deals, highest value first", search, varied(sort=["-value"], stage=stages), QUICK)
    yield Question("search_deals, lowest value first", search, varied(sort=["value"], limit=[25, 50]), QUICK)
    yield Question("search_deals, next to close", search, varied(sort=["expected_close_date"], status=["open"]), QUICK)
    spans = [{"start": str(today + timedelta(days=n)), "end": str(today + timedelta(days=n + 30))} for n in range(9)]
    yield Question("search_deals, closing in a month", search, varied(date_range=spans), QUICK)
    upcoming = "get_upcoming_activities"
    yield Question("get_upcoming_activities, all", upcoming, varied(days_ahead=[1, 7, 30]), SHORT)
    yield Question("get_upcoming_activities, an owner", upcoming, varied(owner_id=owners), SHORT)
    forecast = "forecast_revenue"
    for period in ("month", "quarter", "year"):
        yield Question(f"forecast_revenue, {period}", forecast, varied(period=[period]), MIDDLING)
    yield Question("forecast_revenue, an owner", forecast, varied(period=["quarter"], owner_id=owners), MIDDLING)
    yield from figures(varied, owners, today)


def figures(varied: Any, owners: list[str], today: date) -> Iterator[Question]:
    """What is asked of analytics."""
    metrics, rates = "get_pipeline_metrics", "calculate_conversion_rates"
    days = [str(today - timedelta(days=number)) for number in range(10, 700, 30)]
    yield Question("get_pipeline_metrics, now", metrics, varied(), LONG)
    yield Question("get_pipeline_metrics, an owner", metrics, varied(owner_id=owners), LONG)
    yield Question("get_pipeline_metrics, a past day", metrics, varied(as_of=days[:5]), PAST)
    yield Question("calculate_conversion_rates, a year", rates, varied(), LONG)
    yield Question("calculate_conversion_rates, an owner", rates, varied(owner_id=owners), LONG)
    yield Question("calculate_conversion_rates, all time", rates, varied(start=["2000-01-01"]), LONG)
    yield Question("calculate_conversion_rates, closed", rates, varied(cohort=["closed"]), LONG)
    yield Question("get_team_performance", "get_team_performance", varied(), LONG)
    yield Question("get_activity_heatmap", "get_activity_heatmap", varied(), LONG)


def deals_of(port: int, who: str) -> list[str]:
    """The ids of some deals."""

    def pages() -> Iterator[str]:
        arguments: dict[str, Any] = {"limit": 200}
        while True:
            page = wire.ask(port, who, "tools/call", name="search_deals", arguments=arguments)["structuredContent"]
            yield from (deal["id"] for deal in page["deals"])
            if "next_cursor" not in page:
                return
            arguments["cursor"] = page["next_cursor"]

    return list(islice(pages(), MANY))


def token(organisation: Organisation, name: str) -> str:
    """A token of somebody of the organisation."""
    return sixty(organisation.settings, "token", f"{name}@example.com", "--ttl", "3600").strip()


def p95(taken: Sequence[float]) -> float:
    """What 95 of a hundred stay below."""
    return sorted(taken)[ceil(0.95 * len(taken)) - 1]
