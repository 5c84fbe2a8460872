"""Governed calls beside an echo on each peer: over HTTP turn by turn, and how long each takes to start over stdio."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import databases, wire
from benchmarks.organisation import Organisation, some_deals
from benchmarks.peers import command
from benchmarks.processes import first_answer, free_port, running
from benchmarks.report import FASTMCP, MCPSERVER, RESULTS, Figure, Report, Target
from benchmarks.turns import Subject, Turns, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from benchmarks.options import Options

OVER_HTTP = {
    "starlette": "Starlette JSON echo",
    "lowlevel": "low-level Server echo",
    "mcpserver": MCPSERVER,
    "fastmcp": FASTMCP,
}
OVER_STDIO = {"mcpserver": MCPSERVER, "fastmcp": FASTMCP}
STARTS = 7  # odd, so that there is a middle one


@dataclass(frozen=True)
class Site:
    """Sixty on one database: what is measured there, and what was weighed before anybody called."""

    database: str
    organisation: Organisation
    reads: Sequence[Subject]
    write: Subject
    memory_mib: float
    bytes_per_tool: int


def measured(options: Options) -> Report:
    """What came of calls of one tool each, turn by turn, and of starts over stdio."""
    with ExitStack() as stack:
        say("Starting the peers ...")
        peers = [stack.enter_context(peer(name)) for name in OVER_HTTP]
        sites = []
        for name, empty in [] if options.peers_only else databases.each(RESULTS):
            sites.append(stack.enter_context(site(name, empty, options.deals)))
        turns = Turns(options.rounds, options.seconds)
        # reads first, so that each of them searches among exactly as many deals as were asked for
        for subjects in [subject for site in sites for subject in site.reads], [site.write for site in sites]:
            if subjects or not turns.outcomes:
                turns.take([*peers, *subjects])
        starts = measure_starts(sites[:1])
    figures = turns.figures()
    return Report(figures, starts, list(targets(sites, figures, starts)), turns.failures(), (MCPSERVER, FASTMCP))


@contextmanager
def peer(name: str) -> Iterator[Subject]:
    """A peer that serves its echo over HTTP."""
    port = free_port()
    with running(command(name, str(port)), port):
        yield Subject(OVER_HTTP[name], port, [wire.call(port, "echo", {"text": "hello"})])


@contextmanager
def site(name: str, empty: AbstractContextManager[str], deals: int) -> Iterator[Site]:
    """Sixty on this empty database, filled and then started anew, so that it is weighed as it stands idle."""
    port = free_port()
    with empty as database:
        organisation = Organisation.at(database)
        say(f"Filling {name} with {deals:,} deals ...")
        with running(organisation.over_http(port), port, organisation.settings):
            ids = organisation.seed(port, some_deals(deals))
        with running(organisation.over_http(port), port, organisation.settings) as server:

            def calls(tool: str, *each: Mapping[str, object]) -> Subject:
                requests = [wire.call(port, tool, arguments, organisation.seller) for arguments in each]
                return Subject(f"Sixty {tool}, {name}", port, requests)

            yield Site(
                name,
                organisation,
                reads=[
                    calls("search_deals", {"limit": 10}),
                    calls("get_deal_history", *({"deal_id": one} for one in ids)),
                ],
                write=calls("create_deal", *some_deals(100)),
                bytes_per_tool=organisation.bytes_per_tool(port),
                memory_mib=server.memory(),
            )


def measure_starts(sites: Sequence[Site]) -> dict[str, float]:
    """Seconds from process start to the first `tools/list` answer over stdio: the middle of several, turn by turn."""
    say("Starting everyone over stdio, again and again ...")
    commands: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        **{title: (command(name, "stdio"), {}) for name, title in OVER_STDIO.items()},
        **{f"Sixty, {site.database}": site.organisation.over_stdio() for site in sites},
    }
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(STARTS):
        for name, (serve, settings) in commands.items():
            taken[name].append(first_answer(serve, settings))
    return {name: median(each) for name, each in taken.items()}


def targets(sites: Sequence[Site], figures: Sequence[Figure], starts: Mapping[str, float]) -> Iterator[Target]:
    """What Sixty has promised, held against what was measured. Of several reads the slowest counts."""
    rates = {each.name: each.rate for each in figures}
    for site in sites:
        read = min(rates[subject.name] for subject in site.reads)
        write = rates[site.write.name]
        where = site.database
        yield Target(f"governed read / {FASTMCP}, {where}", read / rates[FASTMCP], must=2, aim=3)
        yield Target(f"governed read / {MCPSERVER}, {where}", read / rates[MCPSERVER], must=0.6, aim=1)
        yield Target(f"governed write / {FASTMCP}, {where}", write / rates[FASTMCP], must=1, aim=2)
        yield Target(f"memory of an idle server, MiB, {where}", site.memory_mib, must=150, aim=150, upper=True)
    for site in sites[:1]:
        start = starts[f"Sixty, {site.database}"] / starts[MCPSERVER]
        yield Target(f"start over stdio / {MCPSERVER}", start, must=1.2, aim=1, upper=True)
        yield Target("bytes per tool, on average", site.bytes_per_tool, must=900, aim=900, upper=True)
