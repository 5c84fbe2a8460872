"""Sixty with an organisation to serve: a database, two people, and what they ask of it.

Everything here goes the way a user goes: the command line, then HTTP.
"""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import closedloop, wire
from benchmarks.processes import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Organisation", "some_deals"]

SIXTY = str(Path(sys.executable).with_name("sixty"))
QUIET_AND_FAST = {  # limits are in force, and out of reach
    **{f"SIXTY_RATE_{rate}": "1000000/minute" for rate in ("STANDARD", "STRICT", "BULK")},
    "SIXTY_LOG_LEVEL": "error",
}

COMPANIES = ["Acme", "Globex", "Initech", "Umbrella", "Hooli", "Vandelay", "Stark", "Wayne", "Tyrell", "Cyberdyne"]
SECTORS = ["Logistics", "Foods", "Energy", "Health", "Robotics", "Textiles", "Media", "Travel"]
PRODUCTS = ["Enterprise License", "Starter Plan", "Support Renewal", "Data Migration", "Onboarding", "Audit", "Pilot"]
NOTES = ["Wants a quote before the board meets.", "Compares us with two others.", "A renewal; happy so far."]
STAGES = {"sql": 40, "opportunity": 30, "verbal": 20, "signed": 10}  # of a hundred deals


@dataclass(frozen=True)
class Organisation:
    """What it takes to serve one database and to be let in. The tokens are good for an hour."""

    settings: dict[str, str]
    seller: str
    admin: str
    key: str
    """The seller's API key, which is what a stdio server is usually given."""

    @classmethod
    def at(cls, database: str, **further: str) -> Organisation:
        """A fresh organisation of a seller and an admin, in an empty database, with further settings."""
        settings = {
            "SIXTY_DATABASE_URL": database,
            "SIXTY_JWT_SECRET": secrets.token_hex(32),
            **QUIET_AND_FAST,
            **further,
        }
        sixty(settings, "db", "upgrade")
        sixty(settings, "team", "add", "Sales")
        seller, admin = person(settings, "user"), person(settings, "admin")
        key = sixty(settings, "key", "add", "user@example.com", "--name", "agent").strip()
        return cls(settings, seller, admin, key)

    def over_http(self, port: int) -> list[str]:
        """The command that serves it on a port."""
        return [SIXTY, "serve", "--transport", "http", "--host", "127.0.0.1", "--port", str(port)]

    def over_stdio(self) -> tuple[list[str], dict[str, str]]:
        """The command that serves it to its seller on the standard streams, and the settings for that."""
        return [SIXTY, "serve", "--transport", "stdio"], {**self.settings, "SIXTY_TOKEN": self.key}

    def seed(self, port: int, deals: Sequence[dict[str, Any]]) -> list[str]:
        """The organisation has these deals, made by its seller through the server on this port; the ids of some."""
        outcome = closedloop.run(port, [wire.call(port, "create_deal", deal, self.seller) for deal in deals])
        if outcome.errors:
            raise RuntimeError(f"{outcome.errors} of {len(deals)} deals were refused: {outcome.failure}")
        found = wire.ask(port, self.seller, "tools/call", name="search_deals", arguments={"limit": 200})
        return [deal["id"] for deal in found["structuredContent"]["deals"]]

    def bytes_per_tool(self, port: int) -> int:
        """What a tool's name, description and input schema cost a client's context, as compact JSON, on average."""
        tools = wire.ask(port, self.admin, "tools/list")["tools"]
        shown = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
        return round(sum(len(json.dumps(each, separators=(",", ":"))) for each in shown) / len(shown))


def some_deals(count: int) -> list[dict[str, Any]]:
    """The arguments of as many `create_deal` calls, the same on each run."""
    chance = random.Random(60)
    today = date.today()  # noqa: DTZ011 - any day will do, in any time zone
    return [
        {
            "title": f"{chance.choice(PRODUCTS)} {number}",
            "company_name": f"{chance.choice(COMPANIES)} {chance.choice(SECTORS)}",
            "value": chance.randrange(1_000, 500_000),
            "stage": chance.choices(list(STAGES), list(STAGES.values()))[0],
            "expected_close_date": str(today + timedelta(days=chance.randrange(1, 365))),
            "notes": chance.choice(NOTES),
        }
        for number in range(count)
    ]


def person(settings: dict[str, str], role: str) -> str:
    """A token of a new member of the sales team in this role."""
    email = f"{role}@example.com"
    sixty(settings, "user", "add", email, "--name", role.title(), "--role", role, "--team", "Sales")
    return sixty(settings, "token", email, "--ttl", "3600").strip()


def sixty(settings: dict[str, str], *arguments: str) -> str:
    """What the command `sixty` prints."""
    return subprocess.check_output([SIXTY, *arguments], env=environment(settings), text=True)
