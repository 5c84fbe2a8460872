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
from sixty.errors import OperatorError
from sixty.testing.clock import Clock
from sixty.testing.organisation import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
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
    'ends with a quote"',
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
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Another database like the test's own."""
    if database_url.startswith("sqlite"):
        yield request.getfixturevalue("sqlite_templates").copy(None, tmp_path / "other.db")
        return
    databases = request.getfixturevalue("postgres_templates")
    url = databases.copy(None)
    yield url
    databases.drop(url)


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


# what is in a file


@pytest.fixture
def filled(database_url: str) -> str:
    """A database with a little of everything."""

    async def do(organisation: Organisation) -> None:
        user, admin = organisation.as_role("user"), organisation.as_role("admin")
        person = {"first_name": "Ann", "last_name": "Doe", "company_name": "=Acme"}
        made = await user.call("create_contact", email="ann@acme.example", **person)
        for client, title in ((user, "Uma's"), (admin, "Ada's")):
            about = {"contact_id": made["contact_id"]}
            deal = await client.call("create_deal", title=title, company_name="=Acme", value=1000.5, **about)
            about["deal_id"] = deal["deal_id"]
            await client.call("create_activity", type="call", description=f"{title} call", notes="a\nb", **about)
            await client.call("create_task", title=f"{title} task", due_date="2024-05-06", **about)

    opened(database_url, do)
    return database_url


def test_csv_goes_to_standard_output_with_nothing_beside_it(filled: str, run: Run) -> None:
    result = run(filled, "export", "companies")
    head, line = list(csv.reader(result.stdout.splitlines()))
    assert head == ["id", "owner", "created_at", "name", "domain", "industry", "size", "revenue"]
    assert line[1:] == ["uma.user@example.com", "2024-03-04T09:30:00+00:00", "'=Acme", "acme.example", "", "", ""]
    assert (result.stderr, result.exit_code) == ("", 0)


def test_the_name_of_the_file_says_which_format_unless_it_is_said(filled: str, run: Run, tmp_path: Path) -> None:
    assert run(filled, "export", "deals", "deals.jsonl").stdout == "2 deals exported to deals.jsonl\n"
    run(filled, "export", "deals", "deals.txt", "--format", "jsonl")
    run(filled, "export", "deals", "deals.csv")
    lines = [json.loads(line) for line in (tmp_path / "deals.jsonl").read_text("utf-8").splitlines()]
    assert [line["title"] for line in lines] == ["Uma's", "Ada's"]
    assert (tmp_path / "deals.txt").read_bytes() == (tmp_path / "deals.jsonl").read_bytes()
    assert (tmp_path / "deals.csv").read_text("utf-8").startswith("id,owner,created_at,title,")


def test_who_asks_is_given_what_they_may_read(filled: str, run: Run) -> None:
    for user, descriptions in (
        ("uma.user@example.com", {"Uma's call"}),
        ("zoë.outside@example.com", set()),
        ("ada.admin@example.com", {"Uma's call", "Ada's call"}),
    ):
        result = run(filled, "export", "activities", "--format", "jsonl", user=user)
        assert {json.loads(line)["description"] for line in result.stdout.splitlines()} == descriptions


def test_what_points_at_nothing_stays_out_and_is_told_with_the_reason(
    filled: str, other_url: str, run: Run, tmp_path: Path
) -> None:
    opened(other_url, lambda organisation: organisation.directory())
    for kind in ("activities", "tasks"):
        run(filled, "export", kind, f"{kind}.csv")
        told = json.loads(run(other_url, "import", kind, f"{kind}.csv", "--json").stdout)
        assert (told["made"], told["rejected"]) == (0, 2), kind
        assert "there is no deal" in told["problems"][0]["reason"]
        with (tmp_path / f"{kind}.rejected.csv").open(encoding="utf-8", newline="") as file:
            assert [row["reason"] for row in csv.DictReader(file)] == [one["reason"] for one in told["problems"]]


def test_files_of_one_source_point_at_one_another_by_their_keys(database_url: str, run: Run, tmp_path: Path) -> None:
    opened(database_url, lambda organisation: organisation.directory())
    files = {
        "companies": "key,name\nc1,Acme\n",
        "contacts": "key,full_name,email,company\np1,Ann Doe,ann@acme.example,c1\n",
        "deals": "key,title,stage,contact\nd1,License,sql,p1\n",
        "activities": "key,type,description,completed_at,deal,contact\na1,call,Talk,2024-05-06,d1;d2,p1\n",
        "tasks": "key,title,deal,contact,activity\nt1,Ask,d1,ANN@acme.example,a1\nt2,Wait,d9,,\n",
    }
    found: dict[str, dict[str, Any]] = {}
    for kind, text in files.items():
        (tmp_path / f"{kind}.csv").write_text(text, "utf-8")
        result = run(database_url, "import", kind, f"{kind}.csv", "--key", "key", "--source", "old", "--json")
        assert json.loads(result.stdout)["made"] == 1, result.output
        found[kind] = json.loads(run(database_url, "export", kind, "--format", "jsonl").stdout)
    ids = {kind: record["id"] for kind, record in found.items()}
    assert found["contacts"]["company"] == ids["companies"]
    assert found["deals"]["contact"] == ids["contacts"]
    assert (found["activities"]["deal"], found["activities"]["contact"]) == (ids["deals"], ids["contacts"])
    assert [found["tasks"][name] for name in ("deal", "contact", "activity")] == [
        ids["deals"],
        ids["contacts"],
        ids["activities"],
    ]
    (rejected,) = csv.DictReader((tmp_path / "tasks.rejected.csv").read_text("utf-8").splitlines())
    assert "'old' has no deal with the key 'd9'" in rejected["reason"]


def test_what_a_chain_has_made_is_not_made_twice(database_url: str, run: Run, tmp_path: Path) -> None:
    async def do(organisation: Organisation) -> None:
        user = organisation.as_role("user")
        deal = await user.call("create_deal", title="License", company_name="Acme")
        await user.call("move_deal_stage", deal_id=deal["deal_id"], stage="opportunity")

    opened(database_url, do)
    task = json.loads(run(database_url, "export", "tasks", "--format", "jsonl").stdout)
    assert task["automation"]
    for name, change in (("same", {"title": "Another"}), ("new", {"id": "0198c2f0-0000-7000-8000-000000000001"})):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({**task, **change}), "utf-8")
    assert json.loads(run(database_url, "import", "tasks", "same.jsonl", "--json").stdout)["updated"] == 1
    told = json.loads(run(database_url, "import", "tasks", "new.jsonl", "--json").stdout)
    assert f"the task {task['id']} was made by {task['automation']} for the same" in told["problems"][0]["reason"]


def test_an_address_that_somebody_has_keeps_a_contact_out(filled: str, other_url: str, run: Run) -> None:
    async def do(organisation: Organisation) -> str:
        given = {"first_name": "Other", "last_name": "Ann", "email": "ann@acme.example"}
        return str((await organisation.as_role("user").call("create_contact", **given))["contact_id"])

    there = opened(other_url, do)
    for kind in ("companies", "contacts"):
        run(filled, "export", kind, f"{kind}.csv")
    run(other_url, "import", "companies", "companies.csv")
    told = json.loads(run(other_url, "import", "contacts", "contacts.csv", "--json").stdout)
    assert there in told["problems"][0]["reason"]
    told = json.loads(run(filled, "import", "contacts", "contacts.csv", "--json").stdout)
    assert (told["unchanged"], told["rejected"]) == (1, 0)


def test_nothing_reacts_to_what_happened_long_ago(filled: str, other_url: str, run: Run) -> None:
    opened(other_url, lambda organisation: organisation.directory())
    for kind in ("companies", "contacts", "deals"):
        run(filled, "export", kind, f"{kind}.csv")
        assert run(other_url, "import", kind, f"{kind}.csv").exit_code == 0
    assert run(other_url, "export", "tasks", "tasks.csv").stdout == "no tasks exported to tasks.csv\n"
    assert run(other_url, "export", "activities", "a.csv").stdout == "no activities exported to a.csv\n"


def test_what_came_in_is_found_by_search_and_says_since_when_it_is(filled: str, other_url: str, run: Run) -> None:
    opened(other_url, lambda organisation: organisation.directory())
    for kind in KINDS:
        run(filled, "export", kind, f"{kind}.csv")
        assert run(other_url, "import", kind, f"{kind}.csv").exit_code == 0

    async def look(organisation: Organisation) -> tuple[dict[str, Any], dict[str, Any]]:
        admin = organisation.as_role("admin")
        return await admin.call("search_crm", query="Uma's"), await admin.call("search_activities")

    async def do() -> tuple[dict[str, Any], dict[str, Any]]:
        async with open_organisation(other_url) as organisation:
            return await look(organisation)

    found, activities = asyncio.run(do())
    assert {hit["kind"] for hit in found["results"]} == {"deal", "activity", "task"}
    assert {one["created_at"] for one in activities["activities"]} == {"2024-03-04T09:30:00Z"}
    assert {one["completed_at"] for one in activities["activities"]} == {"2024-03-04T09:30:00Z"}


# what goes wrong


def test_a_kind_that_nobody_exports_is_said_with_those_that_are(filled: str, run: Run) -> None:
    result = run(filled, "export", "invoices")
    assert (result.exit_code, "there are no 'invoices' to exchange" in result.output) == (2, True)
    assert "activities, companies, contacts, deals, tasks" in result.output


def test_somebody_must_ask(filled: str, run: Run) -> None:
    result = run(filled, "export", "deals", user=None)
    assert (result.exit_code, "say who calls: --user EMAIL" in result.output) == (2, True)


def test_a_file_that_cannot_be_written_is_said_and_nothing_is_left(filled: str, run: Run, tmp_path: Path) -> None:
    result = run(filled, "export", "deals", "missing/deals.csv")
    assert (result.exit_code, "cannot write missing/deals.csv: No such file" in result.output) == (1, True)
    assert not list(tmp_path.glob("**/*.part"))


def test_a_file_is_replaced_when_the_new_one_is_whole(
    filled: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> AsyncIterator[list[Any]]:
        yield []
        raise OperatorError("the disk is gone")

    (tmp_path / "deals.csv").write_text("of yesterday", "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("sixty.cli.exporting.pages", broken)
        assert run(filled, "export", "deals", "deals.csv").output == "Error: the disk is gone\n"
    assert [path.name for path in tmp_path.glob("deals.csv*")] == ["deals.csv"]
    assert (tmp_path / "deals.csv").read_text("utf-8") == "of yesterday"
    assert run(filled, "export", "deals", "deals.csv").exit_code == 0
    assert (tmp_path / "deals.csv").read_text("utf-8").count("\n") == 3
