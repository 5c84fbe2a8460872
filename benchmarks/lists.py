"""A long list: a thousand tools from a hundred packs, beside the very same tools on each peer.

How soon a server that has them all answers its first `tools/list`, and how many such answers it gives in a second.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from statistics import median
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from benchmarks import databases, wire
from benchmarks.copies import copies
from benchmarks.organisation import Organisation
from benchmarks.peers import command
from benchmarks.processes import first_answer, free_port, running
from benchmarks.report import MCPSERVER, RESULTS, Report, Target
from benchmarks.turns import Subject, Turns, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.options import Options

LOWLEVEL, FASTMCP = "low-level Server", "FastMCP"
PEERS = {"lowlevel": LOWLEVEL, "fastmcp": FASTMCP}
SIXTY = "Sixty"
PATIENCE = 5  # times longer than for calls: a peer takes more than a second to answer eight such requests
STARTS = 5  # odd, so that there is a middle one


def measured(options: Options) -> Report:
    """What came of asking each for the whole list."""
    with ExitStack() as stack:
        folder = stack.enter_context(copies(options.packs))
        database = stack.enter_context(databases.sqlite(RESULTS))
        organisation = Organisation.at(database, PYTHONPATH=folder)
        port = free_port()
        stack.enter_context(running(organisation.over_http(port), port, organisation.settings))
        tools = wire.ask(port, organisation.admin, "tools/list")["tools"]
        subjects = [Subject(SIXTY, port, [wire.post(port, "tools/list", organisation.admin)])]
        with NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(tools, file)
            file.flush()
            say(f"Starting the peers with {len(tools):,} tools ...")
            subjects += [stack.enter_context(peer(name, file.name, len(tools))) for name in PEERS]
        turns = Turns(options.rounds, PATIENCE * options.seconds)
        turns.take(subjects)
        starts = measure_starts(organisation, f"{SIXTY}, {options.packs} packs")
    figures = turns.figures()
    rates = {each.name: each.rate for each in figures}
    *_, start = starts.values()
    targets = [
        Target(f"lists of {len(tools):,} tools / {FASTMCP}", rates[SIXTY] / rates[FASTMCP], must=4, aim=10),
        Target(f"seconds from start to the first list, {options.packs} packs", start, must=5, aim=5, upper=True),
    ]
    return Report(figures, starts, targets, turns.failures(), (LOWLEVEL, FASTMCP))


def measure_starts(organisation: Organisation, title: str) -> dict[str, float]:
    """Seconds from process start to the first `tools/list` answer over stdio, beside a peer that has one tool."""
    say("Starting over stdio, again and again ...")
    serve, settings = organisation.over_stdio()
    settings = {**settings, "SIXTY_TOKEN": organisation.admin}
    taken = [(first_answer(command("mcpserver", "stdio")), first_answer(serve, settings)) for _ in range(STARTS)]
    peers, ours = zip(*taken, strict=True)
    return {MCPSERVER: median(peers), title: median(ours)}


@contextmanager
def peer(name: str, file: str, count: int) -> Iterator[Subject]:
    """A peer that lists the tools in this file, and its own."""
    port = free_port()
    with running(command(name, str(port), file), port):
        listed = len(wire.ask(port, "", "tools/list")["tools"])
        if listed <= count:
            raise RuntimeError(f"{name} lists {listed} tools and not the {count} that it was given")
        yield Subject(PEERS[name], port, [wire.post(port, "tools/list")])
