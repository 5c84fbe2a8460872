"""A thousand clients that listen, by each transport alike: how soon all are told of a pack, and what each costs.

Half of them act for somebody whom the pack does not concern, and have to be left in peace.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from itertools import cycle, islice
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import databases
from benchmarks.audience import audience
from benchmarks.copies import copies
from benchmarks.listening import KINDS
from benchmarks.organisation import SIXTY, Organisation
from benchmarks.processes import environment, free_port
from benchmarks.report import RESULTS, Report, Target
from benchmarks.served import served
from benchmarks.turns import say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchmarks.audience import Told
    from benchmarks.options import Options

PACK = "pricing_1"


def measured(options: Options) -> Report:
    """What came of bringing a pack in and taking it out, while they listen, on each database."""
    return Report.joined([site(name, empty, options) for name, empty in databases.each(RESULTS)])


def site(name: str, empty: AbstractContextManager[str], options: Options) -> Report:
    """What came of it on this one."""
    with ExitStack() as stack:
        folder = stack.enter_context(copies(1))
        organisation = Organisation.at(stack.enter_context(empty), PYTHONPATH=folder)
        port = free_port()
        server = stack.enter_context(served(organisation, port))
        listening = stack.enter_context(audience(port))
        count = options.clients // len(KINDS)
        tokens = list(islice(cycle((organisation.admin, organisation.seller)), count))
        concerned = tokens.count(organisation.admin) * len(KINDS)
        cost = {}
        for kind in KINDS:
            before = server.weigh().memory
            say(f"{count} clients join, on {name}: {kind} ...")
            listening.join(kind, tokens)
            cost[kind] = (server.weigh().memory - before) * 1024 / count

        here: list[float] = []
        elsewhere: list[float] = []
        everything: list[Told] = []
        for number in range(options.rounds):
            say(f"The pack goes and comes, round {number + 1} of {options.rounds} ...")
            for swap in server.disable, server.enable:
                _, heard_at = swap(PACK)
                everything.append(told := listening.told(concerned))
                here.append(told.last - heard_at)
        for verb in "disable", "enable":
            say(f"`sixty plugins {verb} {PACK}` ...")
            said_at = decided(organisation, verb)
            everything.append(told := listening.told(concerned))
            elsewhere.append(max(0.0, told.last - said_at))
    missed = sum(odd(each, organisation.admin, 1) for each in everything)
    bothered = sum(odd(each, organisation.seller, 0) for each in everything)
    bounds = {
        f"seconds from a swap to the last of {concerned} told": (max(here), 1),
        "seconds from what a command says to the last told": (max(elsewhere), 1),
        "clients not told, or told twice": (missed, 0),
        "clients told what does not concern them": (bothered, 0),
        **{f"memory of an idle listener, kiB, {kind}": (each, 150) for kind, each in cost.items()},
    }
    targets = [Target(f"{what}, {name}", value, must, must, upper=True) for what, (value, must) in bounds.items()]
    return Report([], {}, targets, everything[-1].lost)


def decided(organisation: Organisation, verb: str) -> float:
    """The moment when a command has said that the pack is to come or to go, which is when that was committed."""
    command, settings = [SIXTY, "plugins", verb, PACK], environment(organisation.settings)
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        said_at = perf_counter()
        process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"`sixty plugins {verb} {PACK}` ended with {process.returncode}")
    return said_at


def odd(told: Told, token: str, times: int) -> int:
    """How many clients of this token were told another number of times."""
    return sum(each != times for each in told.times[token])
