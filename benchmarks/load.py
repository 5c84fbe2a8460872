"""The load: what replicas take of a realistic mix before they fall behind, and how they do at 70 % of that.

Open loop (`benchmarks.openloop`): requests come when they come, whether or not those before them were answered. One
replica and several have their turns on the same database, so that their cost is compared in one run.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import charts, mix, soak
from benchmarks.capacity import Capacity, most
from benchmarks.openloop.plan import LATE, Outcome, Plan, run
from benchmarks.replicas import KINDS, fleet
from benchmarks.report import Target, circumstances, columns, held
from benchmarks.turns import say
from benchmarks.usage import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from benchmarks.openloop.histogram import Histogram
    from benchmarks.options import Options
    from benchmarks.replicas import Fleet
    from benchmarks.usage import Size

__all__ = ["Measured", "Report", "measured"]

SHARE = 0.7
"""Of the capacity: what is measured."""
SESSIONS = 0.15
"""The share of calls that come through sessions of the handshake era."""
QUICK_DEALS = 2_000
CHARTED = "Postgres"
"""Where the dashboard is drawn: it also asks for connections to the database, which SQLite has none of."""
PERCENTILES = (50, 95, 99, 99.9)
READS_MS, TWICE = 50.0, 1.10
"""What the 99th percentile of reads, and the cost of a call with several replicas compared with one, may be."""


@dataclass(frozen=True)
class Turn:
    """What a number of replicas took for a rate."""

    outcome: Outcome
    servers: float
    """Seconds that the servers computed, for each call that was served."""
    database: float
    """Likewise the database."""


@dataclass(frozen=True)
class Costs:
    """Seconds that the servers compute for a call: of the same calls, which arrive at different paces."""

    one: float
    """Of one replica, with its share of the load: half as many arrivals a second where there are two."""
    together: float
    """Of all replicas, with all of the load."""
    alone: float
    """Of one replica with all of the load. It is cheaper: who has more to do wakes up less often for each call."""


@dataclass(frozen=True)
class Measured:
    """What came of one database."""

    database: str
    cores: str
    replicas: int
    rate: float
    capacity: Capacity | None
    turn: Turn
    costs: Sequence[Costs]
    """In each round."""
    sizes: Sequence[Size]
    memory_idle: Sequence[float]
    """Of each replica before anybody called, in MiB."""
    database_mib: float

    @property
    def targets(self) -> Iterator[Target]:
        """What was to be reached."""
        reads = self.turn.outcome.kinds["reads"].took.percentile(99) * 1000
        yield Target(f"p99 of reads, ms, {self.database}", reads, READS_MS, READS_MS, upper=True)
        if self.costs:
            name = f"CPU per call, {self.replicas} replicas / one, {self.database}"
            ratios = {
                "same load in all": [cost.together / cost.alone for cost in self.costs],
                "same load each": [cost.together / cost.one for cost in self.costs],
            }
            for load, each in ratios.items():
                yield Target(f"{name}, {load}", median(each), TWICE, TWICE, upper=True)

    @property
    def failures(self) -> Iterator[str]:
        """What may not be."""
        outcome = self.turn.outcome
        if outcome.complaint:
            yield f"{self.database}: {outcome.complaint}"
        if not outcome.is_valid:
            late = outcome.late.percentile(99) * 1000
            yield f"{self.database}: sent {late:.1f} ms late (p99; {LATE * 1000:g} at most): that was measured"


@dataclass(frozen=True)
class Report:
    """One run, on each database."""

    sites: Sequence[Measured | soak.Soaked]
    unanswered: Sequence[str] = ()
    """The dashboard's queries that no data came of."""

    @property
    def failures(self) -> list[str]:
        """What may not be."""
        return [*(failure for site in self.sites for failure in site.failures), *self.unanswered]

    def to_json(self) -> dict[str, Any]:
        """Everything, with when and where it was measured."""
        targets = [{**asdict(each), "verdict": each.verdict} for site in self.sites for each in site.targets]
        return {**circumstances(), "sites": [written(site) for site in self.sites], "targets": targets}

    def show(self) -> None:
        """Print it as tables that also are Markdown."""
        console = Console(width=140, highlight=False)
        for site in self.sites:
            for table in tables(site) if isinstance(site, Measured) else site.tables():
                console.print(table)
                console.print()
        console.print(held([target for site in self.sites for target in site.targets]))


def measured(options: Options) -> Report:
    """What came of the load on each database."""
    sites: list[Measured | soak.Soaked] = []
    unanswered: list[str] = []
    for kind in [kind for kind in KINDS if options.database in (None, kind.lower())]:
        with ExitStack() as stack:
            program, settings = soak.prepared(options.soak, stack) if options.soak else (None, {})
            is_drawn = options.charts is not None and kind == CHARTED
            if is_drawn:
                settings |= charts.prepared(stack)
            servers = stack.enter_context(
                fleet(
                    kind,
                    options.replicas,
                    QUICK_DEALS if options.quick else options.deals,
                    settings=settings,
                    with_redis=options.redis or is_drawn,
                    behind_nginx=options.nginx,
                    program=program,
                )
            )
            say(f"{servers.cores}.")
            with pinned(servers.cores.others):
                answers = stack.enter_context(charts.asked(servers, stack)) if is_drawn else None
                plans = Plans(servers)
                sites.append(soak.soaked(servers, plans, options) if options.soak else site(servers, plans, options))
                if options.charts is not None and answers is not None:
                    came = answers()
                    unanswered += came.missing
                    for picture in charts.draw(came, options.charts):
                        say(f"Drawn: {picture}")
    return Report(sites, unanswered)


class Plans:
    """Makes plans for a fleet, none of which creates what another one has created."""

    def __init__(self, servers: Fleet) -> None:
        self._calls = mix.calls(servers.staff)
        self._ports = servers.ports
        self._numbers = count()

    def plan(
        self, rate: float, seconds: float, ports: Sequence[int] | None = None, *, chance: int | None = None
    ) -> Plan:
        """The realistic mix at this rate, for so long, from the second second on; the same for the same `chance`."""
        number = next(self._numbers)
        return Plan(
            ports or self._ports,
            self._calls,
            mix.SHARES,
            rate,
            seconds,
            warm_up=2.0,
            sessions=SESSIONS,
            seed=number if chance is None else chance,
            serial=1_000_000_000 + number * 10_000_000,
        )


def site(servers: Fleet, plans: Plans, options: Options) -> Measured:
    """What came of it on this one."""
    capacity = None
    rate = options.rate
    if rate is None:
        trial = 3.0 if options.quick else 20.0  # so that more than a few reads make the percentile
        say(f"How much does {servers.database} take?")
        capacity = most(lambda rate: run(replace(plans.plan(rate, trial), patience=3.0)))
        rate = max(1.0, SHARE * capacity.rate)
    say(f"{rate:,.0f} a second, for {options.seconds:g} s ...")
    turn = taken(servers, plans.plan(rate, options.seconds), len(servers.servers))
    sizes = servers.sizes()
    return Measured(
        servers.database,
        str(servers.cores),
        len(servers.servers),
        rate,
        capacity,
        turn,
        list(compared(servers, plans, rate, options)) if len(servers.servers) > 1 else [],
        sizes,
        servers.memory_idle,
        servers.database_mib(),
    )


def taken(servers: Fleet, plan: Plan, count: int) -> Turn:
    """What the first so many servers, and the database, took for the plan."""
    before = servers.server_cpu(count), servers.database_cpu()
    outcome = run(plan)
    whole = outcome.served * (1 + plan.warm_up / plan.seconds)  # what was served while nothing was counted cost, too
    after = servers.server_cpu(count), servers.database_cpu()
    each = [(late - early) / max(1.0, whole) for late, early in zip(after, before, strict=True)]
    return Turn(outcome, *each)


def compared(servers: Fleet, plans: Plans, rate: float, options: Options) -> Iterator[Costs]:
    """What a call costs one replica and all of them, in each round: turn by turn, in another order each time.

    All turns of a round have the same arrivals: a few of the calls cost many times as much as most.
    """
    seconds = 4.0 if options.quick else max(5.0, options.seconds / 3)
    every = [server.port for server in servers.servers]
    turns = {"one": (1, len(every)), "together": (len(every), 1), "alone": (1, 1)}
    for number in range(2 if options.quick else options.rounds):
        say(f"One replica and {len(every)}, round {number + 1} ...")
        cost = {}
        for name in sorted(turns, reverse=bool(number % 2)):
            many, slower = turns[name]
            plan = plans.plan(rate, seconds, every[:many], chance=number)
            paced = replace(plan, rate=rate / slower, seconds=plan.seconds * slower, warm_up=plan.warm_up * slower)
            cost[name] = taken(servers, paced, many).servers
        yield Costs(**cost)


def tables(site: Measured) -> Iterator[Table]:
    """What came of one database, to read."""
    outcome = site.turn.outcome
    head = f"{site.database}, {site.replicas} replicas, {site.rate:,.0f} arrivals/s"
    table = columns(head, "served", *(f"p{percent:g} ms" for percent in PERCENTILES), "max ms", "errors")
    for name, kind in outcome.kinds.items():
        errors = ", ".join(f"{number} {code}" for code, number in kind.errors.items()) or "0"
        table.add_row(name, f"{kind.took.count:,}", *milliseconds(kind.took), errors)
    table.add_row("sent late", f"{outcome.late.count:,}", *milliseconds(outcome.late), "")
    yield table
    table = columns(site.cores, "CPU ms/call", "MiB each", "idle MiB", "sockets", "threads", "files")
    sizes = site.sizes
    table.add_row(
        "servers",
        f"{site.turn.servers * 1000:.2f}",
        *("/".join(f"{size:.0f}" for size in each) for each in ([s.memory for s in sizes], site.memory_idle)),
        *("/".join(map(str, each)) for each in zip(*[(s.connections, s.threads, s.files) for s in sizes], strict=True)),
    )
    generator = outcome.cpu / max(1, outcome.served)
    table.add_row("database", f"{site.turn.database * 1000:.2f}", f"{site.database_mib:.0f} on disk", "", "", "", "")
    table.add_row("generator", f"{generator * 1000:.2f}", "", "", str(outcome.connections), "", "")
    yield table
    if site.costs:
        table = columns("servers, CPU ms/call", *(f"round {number}" for number in range(1, len(site.costs) + 1)))
        arrivals = {"one": site.rate / site.replicas, "together": site.rate, "alone": site.rate}
        for name, rate in arrivals.items():
            shown = (f"{getattr(cost, name) * 1000:.2f}" for cost in site.costs)
            table.add_row(f"{site.replicas if name == 'together' else 1} at {rate:,.0f} arrivals/s", *shown)
        yield table
    if site.capacity:
        note = " (the generator could send no more)" if site.capacity.limited_by_generator else ""
        table = columns(f"capacity, {site.database}", "arrivals/s", "tried")
        tried = "; ".join(f"{rate:,.0f}: {why or 'kept up'}" for rate, why in sorted(site.capacity.tried.items()))
        table.add_row("most that it keeps up with", f"{site.capacity.rate:,.0f}{note}", str(len(site.capacity.tried)))
        say(f"Tried on {site.database}: {tried}.")
        yield table


def milliseconds(took: Histogram) -> list[str]:
    """The percentiles, and the longest."""
    return [f"{1000 * each:.1f}" for each in (*map(took.percentile, PERCENTILES), took.longest)]


def written(site: Measured | soak.Soaked) -> dict[str, Any]:
    """A site as JSON."""
    if not isinstance(site, Measured):
        return asdict(site)
    turn = {"servers": site.turn.servers, "database": site.turn.database, "outcome": site.turn.outcome.to_json()}
    return {
        **vars(site),
        "sizes": [asdict(size) for size in site.sizes],
        "costs": [asdict(cost) for cost in site.costs],
        "turn": turn,
        "capacity": site.capacity and asdict(site.capacity),
    }
