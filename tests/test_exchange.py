"""Everything goes out to files and comes in again elsewhere: with all packs, on both databases, nothing is lost."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from sixty.cli import cli
from sixty.testing.clock import Clock
from sixty.testing.organisation import open_organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from click.testing import Result

    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

    Run = Callable[..., Result]

KINDS = ("companies", "contacts", "deals", "activities", "tasks")
"""In the order in which they point at one another."""
YEARS_AGO = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)
NASTY = (
    '=HYPERLINK("http://example.com")',
    "+1",
    "-2+3",
    "@SUM(1)",
    "'quoted'",
    "''=1",
    "a,b;c\td|e",
    'say "hello"',
    "ends with a quote\"",
    "two\nlines",
    "two\r\nlines, as on Windows",
    "old\rMac",
    "Zażółć gęślą jaźń",
    "日本語 𝄞 👩‍👩‍👧",
    "\u2028 separates\u2029",
    "\ufeffmarked",
    '{"json": [1, 2]}',
    "NULL",
    "0",
    "C:\\path\\n",
)
PRIVATE = ("  with space around \n", "\tindented", " ", "", "'", "\n")
"""What only a long text may be."""


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Any:
    """Another database like the test's own."""
    if database_url.startswith("sqlite"):
        return request.getfixturevalue("sqlite_templates").copy(None, tmp_path / "other.db")
    databases = request.getfixturevalue("postgres_templates")
    url = databases.copy(None)
    request.addfinalizer(lambda: databases.drop(url))
    return url


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command on a database, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    def one(url: str, *arguments: str, user: str | None = "ada.admin@example.com") -> Result:
        who = () if user is None else ("--user", user)
        return CliRunner().invoke(
            cli, [*arguments, *who], env={"SIXTY_DATABASE_URL": url, "SIXTY_TOKEN": None}, prog_name="sixty"
        )

    return one


def opened(url: str, work: Callable[[Organisation], Any]) -> Any:
    """What comes of work in the organisation that is in a database."""

    async def do() -> Any:
        async with open_organisation(url, clock=Clock(YEARS_AGO)) as organisation:
            await organisation.user("Zoë Outside", team="Süd")
            return await work(organisation)

    return asyncio.run(do())


async def fill(organisation: Organisation) -> None:
    """Every kind of record, in every state, with every field and with texts that are hard on files."""
    user, admin = organisation.as_role("user"), organisation.as_role("admin")
    contacts = [await contact(organisation, (user, admin)[place % 2], place) for place in range(len(NASTY))]
    await admin.call("merge_contacts", primary_id=contacts[0], duplicate_ids=[contacts[1]])
    await admin.call("enrich_contact", contact_id=contacts[0], sources=["internal"])
    await admin.call("update_contact", contact_id=contacts[2], updates={"company_id": None})
    deals = [await deal(organisation, user, place, contacts[place % 2 * 2]) for place in range(8)]
    for place, text in enumerate((*NASTY, *PRIVATE)):
        await activity(organisation, user, place, text, deals[place % 8])
        await task(organisation, admin, place, text, deals[place % 8])


async def contact(organisation: Organisation, client: Client, place: int) -> str:
    text = NASTY[place]
    organisation.clock.advance(timedelta(seconds=1.000001))
    made = await client.call(
        "create_contact",
        first_name=text,
        last_name="Doe",
        email=f"person{place}@example{place % 3}.com",
        phone="+49 30 901820" if place % 2 else "=12",
        company_name=f"{text} {place % 3}",
        role=text,
        linkedin_url="linkedin.com/in/jane",
        address={"street": text, "city": text, "postal_code": "00123", "region": text, "country": "DE"},
    )
    if made.get("company_id"):
        updates = {"industry": text, "size": place + 1, "revenue": place * 1234.5}
        await client.call("update_company", company_id=made["company_id"], updates=updates)
    return str(made["contact_id"])


async def deal(organisation: Organisation, client: Client, place: int, contact_id: str) -> str:
    admin, text = organisation.as_role("admin"), NASTY[place]
    organisation.clock.advance(timedelta(days=1, microseconds=7))
    extra: dict[str, Any] = [
        {"value": 1234.56, "contact_id": contact_id},
        {"monthly_mrr": 100, "one_off_revenue": 0.01},
        {"value": 0.01, "ai_confidence_score": 0},
        {},
    ][place % 4]
    made = await (admin if "monthly_mrr" in extra else client).call(
        "create_deal",
        title=text,
        company_name=text,
        notes=(*PRIVATE, text)[place % 7],
        expected_close_date="2024-12-31",
        contract_end_date="2026-12-31",
        **extra,
    )
    deal_id = made["deal_id"]
    for stage in ("opportunity", "verbal", "sql", "opportunity", "verbal", "signed")[: place % 7]:
        organisation.clock.advance(timedelta(hours=5))
        await admin.call("move_deal_stage", deal_id=deal_id, stage=stage, reason=text)
    if place in (2, 3):
        organisation.clock.advance(timedelta(hours=5))
        await admin.call("update_deal", deal_id=deal_id, updates={"status": "lost", "lost_reason": text})
    return str(deal_id)


async def activity(organisation: Organisation, client: Client, place: int, text: str, deal_id: str) -> None:
    organisation.clock.advance(timedelta(minutes=1))
    times = {"scheduled_at": "2024-06-01T10:00:00+02:00"} if place % 3 else {"outcome": text}
    made = await client.call(
        "create_activity",
        type=("call", "meeting", "email", "task", "proposal_sent")[place % 5],
        description=text.strip() or "nothing",
        deal_id=deal_id,
        duration_minutes=place + 1,
        notes=text,
        **times,
    )
    if place % 3 and place % 2:
        activity_id = made["activity_id"]
        await client.call(
            "reschedule_activity", activity_id=activity_id, scheduled_at="2024-06-02T10:00:00Z", reason=text
        )
        status = "completed" if place % 4 == 1 else "cancelled"
        await client.call("complete_activity", activity_id=activity_id, outcome=text, status=status)


async def task(organisation: Organisation, client: Client, place: int, text: str, deal_id: str) -> None:
    assignee = list((await organisation.directory()).users)[place % 4]
    dates = {"due_date": "2024-05-05"} if place % 2 else {}
    priority = ("low", "medium", "high", "urgent")[place % 4]
    title = text.strip() or "nothing"
    made = await client.call(
        "create_task", title=title, description=text, priority=priority, deal_id=deal_id, assignee_id=assignee, **dates
    )
    if place % 3:
        status = "completed" if place % 3 == 1 else "cancelled"
        await client.call("complete_task", task_id=made["task_id"], outcome=text, status=status)


def exported(run: Run, url: str, form: str, name: str) -> dict[str, bytes]:
    files = {}
    for kind in KINDS:
        path = f"{name}-{kind}.{form}"
        result = run(url, "export", kind, path)
        assert result.exit_code == 0, result.output
        with open(path, "rb") as file:  # noqa: PTH123 - in the folder of the test
            files[kind] = file.read()
    return files


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_exported_comes_in_elsewhere_and_goes_out_just_the_same(
    database_url: str, other_url: str, run: Run, form: str
) -> None:
    opened(database_url, fill)
    before = exported(run, database_url, form, "before")

    async def nothing(_: Organisation) -> None:
        """Only the people are there."""

    opened(other_url, nothing)
    for kind in KINDS:
        result = run(other_url, "import", kind, f"before-{kind}.{form}", "--json")
        told = json.loads(result.stdout)
        assert (result.exit_code, told["problems"], told["made"]) == (0, [], told["lines"]), kind
    after = exported(run, other_url, form, "after")
    assert after == before
    for kind in KINDS:  # and again, where everything is there
        told = json.loads(run(other_url, "import", kind, f"before-{kind}.{form}", "--json").stdout)
        assert told["unchanged"] == told["lines"] > 0, kind
        told = json.loads(run(database_url, "import", kind, f"before-{kind}.{form}", "--json").stdout)
        assert told["unchanged"] == told["lines"], (kind, told)
    assert exported(run, database_url, form, "still") == before
