"""Who asks what of a sales organisation, and how often: the realistic mix of calls, of a few people who work at once.

Sellers look at deals, contacts and what is due, and write down what has happened; managers and the admin ask for
figures, too; every agent lists the tools now and then, and some listen to the deals that they work on. What is listened
to is written more often than the rest. No answer here is an error.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks import closedloop, wire
from benchmarks.bulk import fill
from benchmarks.openloop.plan import LISTENS, SERIAL, Call
from benchmarks.organisation import sixty
from benchmarks.pipeline import PRODUCTS, Pipeline
from sixty_deals.tables import deals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.organisation import Organisation
    from benchmarks.pipeline import Chunk

__all__ = ["SHARES", "Staff", "calls", "contacts", "filled"]

SHARES = {"reads": 60.0, "writes": 25.0, "analytics": 10.0, "lists": 4.0, LISTENS: 1.0}
"""How many of a hundred arrivals are of each kind."""
MANAGERS = (0, 1)
SELLERS = (40, 41, 42, 43, 80, 81, 82, 120)
"""The places in the pipeline of those who have the most deals."""
CONTACTS = 2_000
"""How many there are before anybody is measured."""
HOT = 10
"""Deals of each seller that somebody listens to."""
HEAT = 0.3
"""The share of a seller's updates that go to those."""
NAMED = 0.9
"""The share of searches of everything that name what is there."""
VARIETY = 4_000
"""Calls of each kind that are made up; they are made again, in another order."""
STAGES = ["sql", "opportunity", "verbal", "signed"]
KINDS = ["call", "email", "meeting"]
ABOUT = ["Asked about the budget", "Walked through the offer", "Agreed on the next step", "Sent the references"]


Arguments = Callable[[random.Random, Sequence[str]], dict[str, Any]]
"""Makes up what somebody with these deals asks of a tool."""


def _day(chance: random.Random) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=chance.randrange(1, 60)))


def _hot_or_not(chance: random.Random, own: Sequence[str]) -> str:
    return chance.choice(own[:HOT] if chance.random() < HEAT else own[HOT:])


def _search(chance: random.Random, _: Sequence[str]) -> dict[str, Any]:
    return chance.choice(
        [
            {"limit": 25},
            {"query": str(chance.randrange(10_000))},
            {"query": chance.choice(PRODUCTS), "limit": 10},
            {"stage": chance.choice(STAGES[:3]), "status": "open"},
            {"sort": "-value", "stage": chance.choice(STAGES), "limit": 10},
        ]
    )


def _search_all(chance: random.Random, _: Sequence[str]) -> dict[str, Any]:
    """Nine of ten name what is there; the last one is a little wrong, so that the closest are looked for."""
    number = chance.randrange(10_000)
    return {"query": str(number) if chance.random() < NAMED else f"{chance.choice(PRODUCTS)} {number}"}


def _contact(number: str) -> dict[str, Any]:
    """A contact of whom there is none yet, and of whose company there is none."""
    return {"first_name": "Kim", "last_name": f"Lee{number}", "email": f"kim@company{number}.example"}


READS: dict[str, tuple[int, Arguments]] = {
    "search_deals": (25, _search),
    "get_record": (20, lambda chance, own: {"id": chance.choice(own)}),
    "get_deal_history": (10, lambda chance, own: {"deal_id": chance.choice(own)}),
    "search_contacts": (10, lambda chance, _: {"query": f"lee{chance.randrange(CONTACTS):010}"}),
    "search_activities": (10, lambda chance, own: {"deal_id": chance.choice(own)}),
    "get_upcoming_activities": (10, lambda chance, _: {"days_ahead": chance.choice([1, 7, 14])}),
    "search_crm": (5, _search_all),
    "search_tasks": (5, lambda *_: {"status": "open", "limit": 10}),
    "get_overdue_tasks": (5, lambda *_: {}),
}
"""What sellers look at: how often of a hundred, and what they say."""
WRITES: dict[str, tuple[int, Arguments]] = {
    "update_deal": (
        35,
        lambda chance, own: {
            "deal_id": _hot_or_not(chance, own),
            "updates": {"notes": f"As of {SERIAL}: {chance.choice(ABOUT)}"},
        },
    ),
    "create_activity": (
        25,
        lambda chance, own: {
            "type": chance.choice(KINDS),
            "description": chance.choice(ABOUT),
            "deal_id": chance.choice(own),
        },
    ),
    "move_deal_stage": (
        12,
        lambda chance, own: {"deal_id": chance.choice(own[HOT:]), "stage": chance.choice(STAGES)},
    ),
    "create_deal": (
        12,
        lambda chance, _: {
            "title": f"{chance.choice(PRODUCTS)} {SERIAL}",
            "company_name": "Acme Foods",
            "value": chance.randrange(1_000, 500_000),
            "expected_close_date": _day(chance),
        },
    ),
    "create_task": (
        10,
        lambda chance, own: {"title": chance.choice(ABOUT), "due_date": _day(chance), "deal_id": chance.choice(own)},
    ),
    "create_contact": (6, lambda *_: _contact(SERIAL)),
}
FIGURES: dict[str, tuple[int, Arguments]] = {
    "forecast_revenue": (30, lambda chance, _: {"period": chance.choice(["month", "quarter", "year"])}),
    "get_pipeline_metrics": (25, lambda *_: {}),
    "get_activity_metrics": (20, lambda chance, _: {"group_by": chance.choice(["type", "owner", "status"])}),
    "calculate_conversion_rates": (15, lambda *_: {}),
    "get_team_performance": (10, lambda *_: {}),
}
"""What managers and the admin ask. The heatmap and reports are left out: to draw pictures is another kind of work."""


@dataclass(frozen=True)
class Staff:
    """Those who call, by their API keys, and the deals of each seller."""

    admin: str
    managers: Sequence[str]
    deals: Mapping[str, Sequence[str]]
    """By the seller's key."""

    @property
    def sellers(self) -> list[str]:
        """The sellers' keys."""
        return list(self.deals)


def filled(organisation: Organisation, database: str, size: int, now: float) -> Staff:
    """The organisation has so many deals, three times as many activities, and people with keys to work on them."""
    pipeline = Pipeline(size, now)
    owned: dict[bytes | None, list[str]] = {}

    def noted(chunk: Chunk) -> Chunk:
        for key, owner, *_ in chunk[deals]:
            owned.setdefault(owner, []).append(str(UUID(bytes=key)))
        return chunk

    fill(database, chain([pipeline.staff()], map(noted, pipeline.chunks())))
    emails = ["admin@example.com", *(f"person{place}@example.com" for place in (*MANAGERS, *SELLERS))]
    with ThreadPoolExecutor(2) as both:
        keys = list(both.map(lambda email: sixty(organisation.settings, "key", "add", email).strip(), emails))
    admin, managers, sellers = keys[0], keys[1 : 1 + len(MANAGERS)], keys[1 + len(MANAGERS) :]
    return Staff(admin, managers, {k: owned[pipeline.people[p]] for k, p in zip(sellers, SELLERS, strict=True)})


def contacts(port: int, staff: Staff) -> None:
    """There are contacts, each of a company of its own, made by the sellers through the server on this port."""
    requests = [
        wire.call(port, "create_contact", _contact(f"{number:010}"), staff.sellers[number % len(staff.sellers)])
        for number in range(CONTACTS)
    ]
    outcome = closedloop.run(port, requests)
    if outcome.errors:
        raise RuntimeError(f"{outcome.errors} of {CONTACTS} contacts were refused: {outcome.failure}")


def calls(staff: Staff, seed: int = 60) -> dict[str, list[Call]]:
    """What is asked, by kind, in no order; the same on each run."""
    chance = random.Random(seed)
    everybody = [staff.admin, *staff.managers, *staff.sellers]
    return {
        "reads": list(_drawn(chance, READS, staff.sellers, staff)),
        "writes": list(_drawn(chance, WRITES, staff.sellers, staff)),
        "analytics": list(_drawn(chance, FIGURES, [staff.admin, *staff.managers], staff)),
        "lists": [Call(token, "tools/list", {}) for token in everybody],
        LISTENS: [_listen(token, hot[:HOT]) for token, hot in staff.deals.items()],
    }


def _drawn(
    chance: random.Random, tools: Mapping[str, tuple[int, Arguments]], tokens: Sequence[str], staff: Staff
) -> Iterator[Call]:
    """Calls of these tools as often as that, each by somebody of these."""
    for name in chance.choices(list(tools), [share for share, _ in tools.values()], k=VARIETY):
        token = chance.choice(tokens)
        arguments = tools[name][1](chance, staff.deals.get(token, ()))
        touches = _address(arguments["deal_id"]) if name == "update_deal" else None
        yield Call(token, "tools/call", {"name": name, "arguments": arguments}, touches)


def _listen(token: str, watched: Sequence[str]) -> Call:
    uris = [_address(deal) for deal in watched]
    return Call(
        token, "subscriptions/listen", {"notifications": {"resourceSubscriptions": uris, "toolsListChanged": True}}
    )


def _address(deal: str) -> str:
    return f"crm://deals/{deal}"
