"""Deals that come in from files, as typed by an operator."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from sixty.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

PIPELINE = """\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
A1,Moses Frase,GTX Plus,Cancity,Won,2024-10-20,2025-03-01,1054
A2,Darcel Schlecht,GTXPro,Isdom,Won,2024-10-25,2025-03-11,4514
A3,Darcel Schlecht,MG Special,Cancity,Lost,2024-11-25,2025-03-11,0
A4,Moses Frase,GTX Basic,,Engaging,2024-10-25,,
A5,Zane Levy,GTX Basic,,Prospecting,,,
"""
PEOPLE = """\
sales_agent,manager,regional_office
Moses Frase,Dustin Brinkmann,Central
Darcel Schlecht,Melvin Marxen,Central
Zane Levy,Summer Sewald,West
"""
MAPPING = (
    *("--key", "opportunity_id", "--map", "owner=sales_agent", "--map", "company_name=account"),
    *("--map", "stage=deal_stage", "--map", "opened_at=engage_date", "--map", "opportunity_at=engage_date"),
    *("--map", "closed_at=close_date", "--map", "value=close_value", "--value", "stage.Prospecting=sql"),
    *("--value", "stage.Engaging=opportunity", "--value", "stage.Won=signed"),
    *("--value", "stage.lost=opportunity,status=lost", "--set", "title={product} for {account|nobody yet}"),
)
MAKING = ("--owners", "make", "--people", "people.csv", "--people-map", "name=sales_agent")
TEAMS = ("--people-map", "team=regional_office")


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs one command, in a folder of its own, with deals alone; Ada is an admin, and Ann a user."""
    for name in os.environ:
        if name.startswith("SIXTY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    Path("pipeline.csv").write_text(PIPELINE)
    Path("people.csv").write_text(PEOPLE)

    def run_one(*arguments: str, user: str = "ada@example.com", **environ: str) -> Result:
        who = ("--user", user) if arguments[0] in ("import", "call") else ()
        settings = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": "deals", **environ}
        return CliRunner().invoke(cli, (*arguments, *who), env=settings, prog_name="sixty")

    run_one("user", "add", "ada@example.com", "--name", "Ada Park", "--role", "admin")
    run_one("user", "add", "ann@example.com", "--name", "Ann Lee")
    return run_one


def imported(result: Result, status: int = 0) -> dict[str, Any]:
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def called(run: Callable[..., Result], tool: str, **arguments: Any) -> dict[str, Any]:
    answer = json.loads(run("call", tool, json.dumps(arguments)).stdout)
    assert answer["success"], answer
    return answer


def deals(run: Callable[..., Result]) -> dict[str, dict[str, Any]]:
    return {deal["title"]: deal for deal in called(run, "search_deals", limit=200)["deals"]}


def file(name: str, content: str) -> str:
    Path(name).write_text(content)
    return name


def test_a_pipeline_comes_in_with_its_history_owners_and_teams(run: Callable[..., Result]) -> None:
    told = imported(run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, *TEAMS, "--json"))
    assert (told["lines"], told["made"], told["rejected"], told["rejects"]) == (5, 5, 0, None)
    assert told["totals"] == {
        "lost": {"count": 1, "amount": 0},
        "open": {"count": 2, "amount": 0},
        "won": {"count": 2, "amount": 5568},
    }
    assert {user["email"] for user in told["users_made"]} == {
        "moses.frase@imported.invalid",
        "darcel.schlecht@imported.invalid",
        "zane.levy@imported.invalid",
    }
    assert told["teams_made"] == ["Central", "West"]
    users = json.loads(run("user", "list", "--json").stdout)
    moses = next(user for user in users if user["name"] == "Moses Frase")
    assert (moses["role"], moses["team"]) == ("user", "Central")
    found = deals(run)
    won = found["GTX Plus for Cancity"]
    assert (won["status"], won["value"], won["owner_id"]) == ("won", 1054, moses["id"])
    assert (won["opened_at"], won["closed_at"]) == ("2024-10-20T00:00:00Z", "2025-03-01T00:00:00Z")
    stays = called(run, "get_deal_history", deal_id=won["id"])["stages"]
    assert [(stay["stage"], stay["entered_at"]) for stay in stays] == [
        ("opportunity", "2024-10-20T00:00:00Z"),
        ("signed", "2025-03-01T00:00:00Z"),
    ]
    lost = found["MG Special for Cancity"]
    assert (lost["stage"], lost["status"], lost["closed_at"]) == ("opportunity", "lost", "2025-03-11T00:00:00Z")
    assert "value" not in lost
    waiting = called(run, "search_deals", query="basic nobody")["deals"]
    assert sorted(deal["stage"] for deal in waiting) == ["opportunity", "sql"]
    assert all("company_name" not in deal for deal in waiting)


def test_importing_again_changes_only_what_has_changed(run: Callable[..., Result]) -> None:
    first = imported(run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, "--json"))
    again = imported(run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, "--json"))
    assert (first["made"], again["made"], again["unchanged"], again["users_made"]) == (5, 0, 5, [])
    file("pipeline.csv", PIPELINE.replace("Engaging,2024-10-25,,", "Won,2024-10-25,2025-05-01,700"))
    changed = imported(run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, "--json"))
    assert (changed["updated"], changed["unchanged"], changed["totals"]["won"]) == (1, 4, {"count": 1, "amount": 700})
    (deal,) = called(run, "search_deals", query="basic", stage="signed")["deals"]
    stays = called(run, "get_deal_history", deal_id=deal["id"])["stages"]
    assert [(stay["stage"], stay.get("left_at")) for stay in stays] == [
        ("opportunity", "2025-05-01T00:00:00Z"),
        ("signed", None),
    ]


def test_a_dry_run_says_what_would_happen_and_does_nothing(run: Callable[..., Result]) -> None:
    told = imported(run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, *TEAMS, "--dry-run", "--json"))
    assert (told["dry_run"], told["made"], len(told["users_made"]), told["teams_made"]) == (
        True,
        5,
        3,
        ["Central", "West"],
    )
    assert told["totals"]["won"] == {"count": 2, "amount": 5568}
    assert deals(run) == {}
    assert len(json.loads(run("user", "list", "--json").stdout)) == 2
    shown = run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, "--dry-run").stdout
    assert "5 lines of deals: 5 would be made" in shown
    assert "3 users would be made" in shown


def test_a_bad_row_goes_to_a_file_with_the_reason_and_the_rest_goes_in(run: Callable[..., Result]) -> None:
    bad = """\
B1,Moses Frase,GTX,=HYPERLINK(1),Foo,2024-10-25,,
B2,Nobody Known,GTX,Acme,Won,2024-10-25,2025-01-01,5
B3,Moses Frase,GTX,Acme,Won,2025-01-01,2024-10-25,5
B4,Moses Frase,GTX,Acme,Won,2024-10-25,2025-01-01,many
B5,Moses Frase
A1,Moses Frase,GTX,Acme,Won,2024-10-25,2025-01-01,5
,Moses Frase,GTX,Acme,Won,2024-10-25,2025-01-01,5
B7,Moses Frase,GTX,Acme,Won,2024-10-25,2025-01-01,"""
    run("user", "add", "moses@example.com", "--name", "moses  FRASE")
    file("people.csv", PEOPLE)
    file(
        "mixed.csv", PIPELINE.replace("Darcel Schlecht", "Moses Frase").replace("Zane Levy", "Moses Frase") + bad + '"6'
    )
    told = imported(run("import", "deals", "mixed.csv", *MAPPING, "--json"), status=1)
    assert (told["made"], told["rejected"], told["rejects"]) == (5, 8, "mixed.rejected.csv")
    with Path("mixed.rejected.csv").open(newline="") as rejected:
        rows = list(csv.DictReader(rejected))
    assert list(rows[0]) == ["reason", *PIPELINE.splitlines()[0].split(",")]
    reasons = {row["opportunity_id"][:2]: row["reason"] for row in rows}
    assert "got 'Foo'" in reasons["B1"]
    assert '--value "stage.Foo=…"' in reasons["B1"]
    assert [row["account"] for row in rows if row["opportunity_id"] == "B1"] == ["'=HYPERLINK(1)"]
    assert "nobody with the name or address 'Nobody Known'" in reasons["B2"]
    assert "closed_at 2024-10-25T00:00:00+00:00 is before opened_at" in reasons["B3"]
    assert "must be an amount such as 1234.56" in reasons["B4"]
    assert "2 cells, and the file has 8 columns" in reasons["B5"]
    assert "is that of line 2 as well" in reasons["A1"]
    assert "its key is missing: the column 'opportunity_id' is empty" in reasons[""]
    assert "cut off" in reasons["B7"]
    assert sorted(problem["line"] for problem in told["problems"]) == list(range(7, 15))


def test_lines_that_name_nobody_who_is_there_may_go_to_somebody(run: Callable[..., Result]) -> None:
    told = imported(run("import", "deals", "pipeline.csv", *MAPPING, "--owner", "ann@example.com", "--json"))
    assert told["made"] == 5
    users = {user["email"]: user["id"] for user in json.loads(run("user", "list", "--json").stdout)}
    assert {deal["owner_id"] for deal in deals(run).values()} == {users["ann@example.com"]}


def test_only_an_admin_makes_owners_and_nobody_gives_what_they_may_not_give(run: Callable[..., Result]) -> None:
    refused = run("import", "deals", "pipeline.csv", *MAPPING, *MAKING, user="ann@example.com")
    assert (refused.exit_code, "only an admin" in refused.stderr) == (1, True)
    one = file("one.csv", "title,stage,owner\nMine,sql,Ann Lee\nHers,sql,ada@example.com\n")
    told = imported(run("import", "deals", one, "--json", user="ann@example.com"), status=1)
    assert (told["made"], told["rejected"]) == (1, 1)
    assert "you may not make Ada Park the owner" in told["problems"][0]["reason"]


def test_what_was_imported_can_be_taken_back_and_is_not_made_again_by_itself(run: Callable[..., Result]) -> None:
    one = file("one.csv", "title,stage\nFirst,sql\nSecond,verbal\n")
    imported(run("import", "deals", one, "--json"))
    (line,) = json.loads(run("audit", "tail", "-n", "1", "--json").stdout)
    assert line["arguments"] == {
        "file": "one.csv",
        "source": "one",
        "first_line": 2,
        "last_line": 3,
        "lines": 2,
        "dry_run": False,
    }
    called(run, "undo_change", change_id=line["call_id"])
    assert deals(run) == {}
    told = imported(run("import", "deals", one, "--json"))
    assert (told["made"], told["skipped"]) == (0, 2)
    assert "--source" in told["problems"][0]["reason"]
    assert imported(run("import", "deals", one, "--source", "anew", "--json"))["made"] == 2


# presets

HUBSPOT = """\
Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Create Date,Associated Company,Date entered Contract Sent
101,Big one,Closed Won,2025-03-01 10:00,Ann Lee,"1,000.50",2025-01-01 09:00,Acme,2025-02-01 08:00
102,Lost one,Closed Lost,2025-03-02 10:00,Ann Lee,500,2025-01-02 09:00,Acme,2025-02-01 08:00
103,Open one,Presentation Scheduled,2027-06-30 10:00,,,2025-01-03 09:00,,
"""
SALESFORCE = """\
Opportunity ID,Opportunity Name,Account Name,Stage,Amount,Close Date,Created Date,Opportunity Owner
006A,Big one,Acme,Closed Won,"USD 1,000.50",3/1/2025,1/1/2025,Ann Lee
006B,Lost one,Acme,Closed Lost,500,3/2/2025,1/2/2025,Ann Lee
006C,Open one,,Value Proposition,0,6/30/2027,1/3/2025,
"""
PIPEDRIVE = """\
Deal - ID,Deal - Title,Deal - Organization,Deal - Value,Deal - Stage,Deal - Status,Deal - Deal created,Deal - Won time,\
Deal - Lost time,Deal - Lost reason,Deal - Owner,Deal - Expected close date
1,Big one,Acme,1000.50,Negotiations Started,Won,2025-01-01 09:00:00,2025-03-01 10:00:00,,,Ann Lee,
2,Lost one,Acme,500,Negotiations Started,Lost,2025-01-02 09:00:00,,2025-03-02 10:00:00,Too dear,Ann Lee,
3,Open one,,,Demo Scheduled,Open,2025-01-03 09:00:00,,,,,2027-06-30
"""


@pytest.mark.parametrize(
    ("crm", "content", "lost_in"),
    [("hubspot", HUBSPOT, "verbal"), ("salesforce", SALESFORCE, "sql"), ("pipedrive", PIPEDRIVE, "verbal")],
)
def test_the_exports_of_other_crms_need_no_mapping(
    run: Callable[..., Result], crm: str, content: str, lost_in: str
) -> None:
    told = imported(run("import", "deals", file("export.csv", content), "--preset", crm, "--json"))
    assert (told["made"], told["source"], told["without_owner"]) == (3, crm, 1)
    found = deals(run)
    won, lost, waiting = found["Big one"], found["Lost one"], found["Open one"]
    assert (won["stage"], won["status"], won["value"], won["company_name"]) == ("signed", "won", 1000.5, "Acme")
    assert won["closed_at"][:10] == "2025-03-01"
    assert won["opened_at"][:10] == won["created_at"][:10] == "2025-01-01"
    assert (lost["stage"], lost["status"], lost["closed_at"][:10]) == (lost_in, "lost", "2025-03-02")
    assert (waiting["stage"], waiting["status"], waiting["expected_close_date"]) == (
        "opportunity",
        "open",
        "2027-06-30",
    )
    assert "closed_at" not in waiting
    assert imported(run("import", "deals", "export.csv", "--preset", crm, "--json"))["unchanged"] == 3


# what is typed

ONE = "title,stage\nFirst,sql\n"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("import", "deels", "one.csv"), "did you mean 'deals'"),
        (("import", "deals", "nowhere.csv"), "does not exist"),
        (("import", "deals", "one.csv", "--map", "title=titel"), "did you mean 'title'"),
        (("import", "deals", "one.csv", "--map", "tilte=title"), "did you mean 'title'"),
        (("import", "deals", "one.csv", "--map", "title"), "FIELD=COLUMN"),
        (("import", "deals", "one.csv", "--map", "title=a", "--map", "title=b"), "given twice"),
        (("import", "deals", "one.csv", "--value", "Won=signed"), "the field comes first"),
        (("import", "deals", "one.csv", "--set", "title={nothing}"), "no column 'nothing'"),
        (("import", "deals", "one.csv", "--preset", "sugar"), "no preset 'sugar'; there is hubspot"),
        (("import", "deals", "one.csv", "--key", "number"), "--key: the file has no column 'number'"),
        (("import", "deals", "one.csv", "--delimiter", "ab"), "one character"),
        (("import", "deals", "one.csv", "--encoding", "utf8000"), "there is no encoding"),
        (("import", "deals", "one.csv", "--people-map", "name=a"), "--people names"),
        (("import", "deals", "one.csv", "--people", "one.csv"), "which column has the names"),
        (("import", "deals", "one.csv", "--people", "one.csv", "--people-map", "name=x"), "no column 'x'"),
        (("import", "deals", "one.csv", "--people", "one.csv", "--people-map", "age=x"), "people have no 'age'"),
        (("import", "deals", "people.csv"), "nothing says what the title of deals is"),
        (("import", "deals", "twice.csv"), "several columns 'title'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_goes_in(
    run: Callable[..., Result], typed: tuple[str, ...], says: str
) -> None:
    file("one.csv", ONE)
    file("twice.csv", "title,title,stage\na,b,sql\n")
    refused = run(*typed)
    assert (refused.exit_code, says in refused.stderr) == (2, True), refused.stderr


def test_a_file_may_be_written_in_many_ways(run: Callable[..., Result]) -> None:
    Path("german.csv").write_bytes(
        "Titel;Betrag;Stufe;Datum\nKöln;1.234,50 €;Gewonnen;31.01.2025\nMünchen;0,00;;\n".encode("cp1252")
    )
    options = ("--map", "title=Titel", "--map", "value=Betrag", "--map", "stage=Stufe", "--map", "close_date=Datum")
    told = imported(
        run(
            *("import", "deals", "german.csv", *options, "--decimal", ",", "--date-format", "%d.%m.%Y"),
            *("--value", "stage.Gewonnen=signed", "--value", "stage.=opportunity", "--json"),
            SIXTY_TIMEZONE="Europe/Berlin",
        )
    )
    assert (told["encoding"], told["delimiter"], told["made"]) == ("cp1252", ";", 2)
    won = deals(run)["Köln"]
    assert (won["value"], won["closed_at"]) == (1234.5, "2025-01-30T23:00:00Z")
    assert deals(run)["München"]["stage"] == "opportunity"
    lines = [
        '{"title": "From JSON", "stage": "verbal", "value": 12.5}',
        '{"title": 5}',
        '{"title": "Such", "stage": null, "ai_confidence_score": 120}',
    ]
    told = imported(run("import", "deals", file("more.jsonl", "\n".join(lines)), "--json"), status=1)
    assert (told["made"], told["rejected"]) == (1, 2)


def test_lines_that_are_alike_are_several_deals_and_stay_so(run: Callable[..., Result]) -> None:
    alike = file("alike.csv", "title,stage\nSame,sql\nSame,sql\n")
    assert imported(run("import", "deals", alike, "--json"))["made"] == 2
    assert imported(run("import", "deals", alike, "--json"))["unchanged"] == 2
    assert called(run, "search_deals")["total"] == 2


ID = "0198c2f0-0000-7000-8000-000000000001"


def own(**said: Any) -> str:
    """A line of an export of ours."""
    return file("own.jsonl", json.dumps({"id": ID, "title": "Own", "created_at": "2025-01-01T00:00:00+00:00", **said}))


def stay(stage: str, day: str, **more: Any) -> dict[str, Any]:
    return {"stage": stage, "entered_at": f"2025-{day}T00:00:00+00:00", **more}


def test_a_line_with_all_stays_sets_them_and_takes_away_what_is_too_much(run: Callable[..., Result]) -> None:
    run("user", "add", "bob@example.com", "--name", "Bob Roe")
    two = [stay("sql", "01-02", left_at="2025-02-01T00:00:00+00:00"), stay("verbal", "02-01", from_stage="sql")]
    first = own(stage="verbal", status="open", opened_at="2025-01-02", stages=two, owner="ann@example.com")
    assert imported(run("import", "deals", first, "--json"))["made"] == 1
    history = called(run, "get_deal_history", deal_id=ID)["stages"]
    assert [(one["stage"], one.get("from_stage")) for one in history] == [("sql", None), ("verbal", "sql")]
    second = own(stage="sql", status="open", opened_at="2025-01-02", stages=two[:1], owner="bob@example.com")
    assert imported(run("import", "deals", second, "--json"))["updated"] == 1
    assert [one["stage"] for one in called(run, "get_deal_history", deal_id=ID)["stages"]] == ["sql"]
    (deal,) = called(run, "search_deals")["deals"]
    users = {user["id"]: user["name"] for user in json.loads(run("user", "list", "--json").stdout)}
    assert (deal["id"], deal["stage"], users[deal["owner_id"]]) == (ID, "sql", "Bob Roe")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"value": -5}, "must not be negative"),
        ({"stages": [{"stage": "sql"}]}, "stages.0.entered_at is missing"),
        ({"stages": "[1"}, "must be JSON"),
        ({"contact": "nobody"}, "has no contact with the key 'nobody'"),
        ({"status": "gone"}, "must be 'open', 'won' or 'lost'"),
    ],
)
def test_what_is_wrong_with_a_deal_is_said(run: Callable[..., Result], said: dict[str, Any], says: str) -> None:
    told = imported(run("import", "deals", own(stage="sql", **said), "--json"), status=1)
    assert says in told["problems"][0]["reason"]


def test_the_time_at_which_a_deal_was_won_or_lost_says_that_it_was(run: Callable[..., Result]) -> None:
    timed = file("timed.csv", "title\twon at\tlost at\nWon\t2025-03-01\t\nLost\t\t2025-03-02\n")
    told = imported(run("import", "deals", timed, "--delimiter", "tab", "--json"))
    assert told["made"] == 2
    found = deals(run)
    assert (found["Won"]["status"], found["Won"]["closed_at"][:10]) == ("won", "2025-03-01")
    assert (found["Lost"]["status"], found["Lost"]["closed_at"][:10]) == ("lost", "2025-03-02")


def test_a_column_may_be_left_out(run: Callable[..., Result]) -> None:
    odd = file("odd.csv", "title,stage,status\nOdd,sql,Active\n")
    assert imported(run("import", "deals", odd, "--json"), status=1)["made"] == 0
    assert imported(run("import", "deals", odd, "--map", "status=", "--json"))["made"] == 1


def test_a_bar_shows_on_a_terminal_how_far_it_is(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    shown = run("import", "deals", file("one.csv", ONE))
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, "1 line of deals: 1 made")
    assert "Importing" in shown.stderr
