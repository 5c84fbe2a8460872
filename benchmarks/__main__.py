"""`python -m benchmarks`: start everyone, measure turn by turn, print, and write `benchmarks/results/latest.json`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import databases, load, wire
from benchmarks.organisation import Organisation, some_deals
from benchmarks.processes import first_answer, free_port, running
from benchmarks.report import FASTMCP, MCPSERVER, Figure, Report, Target, middle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from benchmarks.load import Outcome

RESULTS = Path(__file__).parent / "results"
OVER_HTTP = {
    "starlette": "Starlette JSON echo",
    "lowlevel": "low-level Server echo",
    "mcpserver": MCPSERVER,
    "fastmcp": FASTMCP,
}
OVER_STDIO = {"mcpserver": MCPSERVER, "fastmcp": FASTMCP}
STARTS = 7  # odd, so that there is a middle one


@dataclass(frozen=True)
class Subject:
    """What has its turn: a server's port, and the requests that it is sent over and over."""

    name: str
    port: int
    requests: Sequence[str]


@dataclass(frozen=True)
class Site:
    """Sixty on one database: what is measured there, and what was weighed before anybody called."""

    database: str
    organisation: Organisation
    reads: Sequence[Subject]
    write: Subject
    memory_mib: float
    bytes_per_tool: int


def main() -> int:
    """Run the benchmark; the exit status is 1 if any request failed, since figures with errors mean nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many turns each subject has (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn is (%(default)s)")
    parser.add_argument("--deals", type=int, default=10_000, help="how many deals to search in (%(default)s)")
    parser.add_argument("--peers-only", action="store_true", help="leave Sixty out")
    options = parser.parse_args()

    RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        say("Starting the peers ...")
        peers = [stack.enter_context(peer(name)) for name in OVER_HTTP]
        sites = [] if options.peers_only else [stack.enter_context(each) for each in every_site(options.deals)]
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        # reads first, so that each of them searches among exactly as many deals as were asked for
        for subjects in [subject for site in sites for subject in site.reads], [site.write for site in sites]:
            if subjects or not outcomes:
                measure([*peers, *subjects], options.rounds, options.seconds, outcomes)
        starts = measure_starts(sites[:1])
        figures = [middle(name, rounds) for name, rounds in outcomes.items()]
        report = Report(figures, starts, list(targets(sites, figures, starts)))

    report.show()
    (RESULTS / "latest.json").write_text(json.dumps(report.to_json(), indent=2) + "\n")
    failures = {name: each.failure for name, rounds in outcomes.items() for each in rounds if each.failure}
    for name, failure in failures.items():
        say(f"These figures mean nothing, for a request to {name} failed: {failure}")
    return 1 if failures else 0


@contextmanager
def peer(name: str) -> Iterator[Subject]:
    """A peer that serves its echo over HTTP."""
    port = free_port()
    with running(peer_command(name, str(port)), port):
        yield Subject(OVER_HTTP[name], port, [wire.call(port, "echo", {"text": "hello"})])


def peer_command(name: str, where: str) -> list[str]:
    """The command that serves a peer on a port, or on `stdio`."""
    return [sys.executable, "-m", "benchmarks.peers", name, where]


def every_site(deals: int) -> Iterator[AbstractContextManager[Site]]:
    """Sixty on SQLite, and on Postgres where one is named."""
    yield site("SQLite", databases.sqlite(RESULTS), deals)
    server = os.environ.get("TEST_POSTGRES_URL")
    if server:
        yield site("Postgres", databases.postgres(server), deals)
    else:
        say("Postgres is left out: TEST_POSTGRES_URL does not say where one is.")


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


def measure(subjects: Sequence[Subject], rounds: int, seconds: float, into: dict[str, list[Outcome]]) -> None:
    """Give each subject its turn, so many rounds long, and keep what came of each turn under the subject's name."""
    for number in range(1, rounds + 1):
        say(f"Round {number} of {rounds}, {len(subjects)} turns of {seconds:g} s ...")
        for subject in subjects:
            into[subject.name].append(load.run(subject.port, subject.requests, seconds=seconds))


def measure_starts(sites: Sequence[Site]) -> dict[str, float]:
    """Seconds from process start to the first `tools/list` answer over stdio: the middle of several, turn by turn."""
    say("Starting everyone over stdio, again and again ...")
    commands: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        **{title: (peer_command(name, "stdio"), {}) for name, title in OVER_STDIO.items()},
        **{f"Sixty, {site.database}": site.organisation.over_stdio() for site in sites},
    }
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(STARTS):
        for name, (command, settings) in commands.items():
            taken[name].append(first_answer(command, settings))
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


def say(what: str) -> None:
    """Tell whoever waits what is going on, without getting into the table."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
