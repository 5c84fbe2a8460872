"""Imports: how long a pipeline with its history takes to come in, what it weighs meanwhile, and what it takes again.

`sixty import`, as an operator types it, of a csv file of 100,000 deals with three stays and forty owners; and the same
file once more, in which nothing has changed.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import time
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks import databases
from benchmarks.organisation import SIXTY, Organisation
from benchmarks.processes import environment
from benchmarks.report import RESULTS, Report, Target
from benchmarks.turns import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.options import Options

SIZES = (10_000, 100_000)
SECONDS, MEBIBYTES = 120, 300
OWNERS = 40
COLUMNS = (
    "id",
    "title",
    "company_name",
    "value",
    "stage",
    "status",
    "sql_at",
    "opportunity_at",
    "verbal_at",
    "closed_at",
)
MAPPING = ("--key", "id", "--map", "owner=rep", "--owners", "make", "--user", "admin@example.com", "--json")


def measured(options: Options) -> Report:
    """What came of it, on each database."""
    del options
    targets: list[Target] = []
    with TemporaryDirectory() as folder:
        for size in SIZES:
            write(Path(folder, f"{size}.csv"), size)
        for name, empty in databases.each(RESULTS):
            with empty as database:
                organisation = Organisation.at(database)
                targets += site(name, organisation, folder)
    return Report([], {}, targets)


def site(name: str, organisation: Organisation, folder: str) -> Iterator[Target]:
    """What came of it on this one. The smaller file comes first, so that the larger one finds something there."""
    small, _ = imported(organisation, Path(folder, f"{SIZES[0]}.csv"), "made")
    large, weight = imported(organisation, Path(folder, f"{SIZES[1]}.csv"), "made")
    again, _ = imported(organisation, Path(folder, f"{SIZES[1]}.csv"), "unchanged")
    say(f"{name}: {SIZES[0]:,} deals in {small:.1f} s, {SIZES[1]:,} in {large:.1f} s, again in {again:.1f} s")
    yield Target(f"seconds for {SIZES[1]:,} deals, {name}", large, must=SECONDS, aim=SECONDS / 2, upper=True)
    yield Target(f"MiB of the import at the most, {name}", weight, must=MEBIBYTES, aim=MEBIBYTES / 2, upper=True)
    yield Target(f"seconds for the same file again, {name}", again, must=SECONDS / 2, aim=SECONDS / 4, upper=True)
    growth = large / small
    yield Target(f"time for ten times as many deals, {name}", growth, must=12, aim=10, upper=True)


def imported(organisation: Organisation, file: Path, fate: str) -> tuple[float, float]:
    """The seconds that an import took, and the most MiB that it had; every line must have met this fate."""
    began = time.perf_counter()
    command = [SIXTY, "import", "deals", str(file), *MAPPING]
    with subprocess.Popen(command, env=environment(organisation.settings), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or told[fate] != told["lines"]:
        raise RuntimeError(f"the import of {file.name} came out otherwise: {told}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def write(path: Path, size: int) -> None:
    """A pipeline of so many deals, the same on each run: two in five won, two lost, and one still open."""
    chance = random.Random(size)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*COLUMNS, "rep"])
        for number in range(size):
            opened = date(2023, 1, 1) + timedelta(days=chance.randrange(900))
            met = opened + timedelta(days=chance.randrange(30))
            agreed = met + timedelta(days=chance.randrange(30))
            closed = agreed + timedelta(days=chance.randrange(40))
            stage, status = chance.choice([("signed", "won"), ("verbal", "lost")] * 2 + [("verbal", "open")])
            rows.writerow(
                [
                    f"{size}-{number}",
                    f"Deal {number}",
                    f"Company {chance.randrange(size // 10)}",
                    chance.randrange(1_00, 100_000_00) / 100,
                    stage,
                    status,
                    opened,
                    met,
                    agreed,
                    closed if status != "open" else "",
                    f"Rep {chance.randrange(OWNERS)}",
                ]
            )
