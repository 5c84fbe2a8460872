"""Activities that come in from files: when they were, where they stand, and how other CRMs write them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty import Invalid
from sixty.cli import cli
from sixty_activities.forms import standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., dict[str, Any]]
    Out = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture
def sixty(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs one command as Ada, who is an admin, in a folder of its own, with activities alone."""
    for name in os.environ:
        if name.startswith("SIXTY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def one(*arguments: str) -> Result:
        who = ("--user", "ada@example.com") if arguments[0] in ("import", "export") else ()
        settings = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": "activities"}
        return CliRunner().invoke(cli, (*arguments, *who), env=settings, prog_name="sixty")

    one("user", "add", "ada@example.com", "--name", "Ada Park", "--role", "admin")
    return one


@pytest.fixture
def put_in(sixty: Callable[..., Result]) -> Run:
    """Imports a text as a file, and gives what came of it."""

    def one(text: str, *options: str) -> dict[str, Any]:
        Path("file.csv").write_bytes(text.encode())
        return dict(json.loads(sixty("import", "activities", "file.csv", "--json", *options).stdout))

    return one


@pytest.fixture
def take_out(sixty: Callable[..., Result]) -> Out:
    """What an export gives, by description."""

    def one() -> dict[str, dict[str, Any]]:
        lines = sixty("export", "activities", "--format", "jsonl").stdout.splitlines()
        return {line.pop("description"): line for line in map(json.loads, lines)}

    return one


def said(activity: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in activity.items() if name not in ("id", "owner", "created_at")}


def test_an_activity_is_as_its_line_says_and_what_it_does_not_say_follows(put_in: Run, take_out: Out) -> None:
    text = (
        "description,type,status,scheduled_at,completed_at,duration_minutes\n"
        "Logged,Call,,,2024-05-06T07:08,0:30\n"
        "Planned,meeting,,2024-05-06,,1:00:01\n"
        "Held,meeting,Completed,2024-05-06,,0\n"
        "Off,email_sent,cancelled,2024-05-06,2024-05-07,45\n"
        "Never,email,,,,\n"
        "Some day,email,scheduled,,2024-05-06,\n"
        "Long,call,,2024-05-06,,1441\n"
        "Odd,fax,,2024-05-06,,\n"
    )
    told = put_in(text)
    assert {name: said(one) for name, one in take_out().items()} == {
        "Logged": {
            "type": "call",
            "status": "completed",
            "completed_at": "2024-05-06T07:08:00+00:00",
            "duration_minutes": 30,
        },
        "Planned": {
            "type": "meeting",
            "status": "scheduled",
            "scheduled_at": "2024-05-06T00:00:00+00:00",
            "duration_minutes": 61,
        },
        "Held": {
            "type": "meeting",
            "status": "completed",
            "scheduled_at": "2024-05-06T00:00:00+00:00",
            "completed_at": "2024-05-06T00:00:00+00:00",
        },
        "Off": {
            "type": "email",
            "status": "cancelled",
            "scheduled_at": "2024-05-06T00:00:00+00:00",
            "duration_minutes": 45,
        },
    }
    reasons = {problem["line"]: problem["reason"] for problem in told["problems"]}
    assert "scheduled_at is missing" in reasons[6]
    assert "scheduled_at is missing" in reasons[7]
    assert "duration_minutes must be at most 1440 minutes" in reasons[8]
    assert '--value "type.fax=…"' in reasons[9]


def test_a_line_that_has_changed_changes_what_it_says(put_in: Run, take_out: Out, sixty: Callable[..., Result]) -> None:
    sixty("user", "add", "bo@example.com", "--name", "Bo Beck")
    put_in("key,type,description,scheduled_at,notes\n1,call,Talk,2024-05-06,Bring cake\n", "--key", "key")
    told = put_in("key,type,description,completed_at,owner\n1,call,Talk,2024-05-07,Bo Beck\n", "--key", "key")
    activity = take_out()["Talk"]
    assert (told["updated"], activity["owner"]) == (1, "bo@example.com")
    assert said(activity) == {
        "type": "call",
        "status": "completed",
        "scheduled_at": "2024-05-06T00:00:00+00:00",
        "completed_at": "2024-05-07T00:00:00+00:00",
        "notes": "Bring cake",
    }
    assert put_in("key,type,description\n1,email,Talk\n", "--key", "key")["updated"] == 1
    assert said(take_out()["Talk"]) == {**said(activity), "type": "email"}


moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@given(
    status=st.sampled_from([None, "scheduled", "completed", "cancelled"]), scheduled_at=moments, completed_at=moments
)
@settings(max_examples=60, deadline=None)
def test_only_what_was_completed_has_such_a_time_and_everything_has_one(
    status: str | None, scheduled_at: datetime | None, completed_at: datetime | None
) -> None:
    given_ = {"status": status, "scheduled_at": scheduled_at, "completed_at": completed_at}
    try:
        after = standing(given_)
    except Invalid:
        assert scheduled_at is None
        assert completed_at is None or status in ("scheduled", "cancelled")
        return
    assert (after["completed_at"] is not None) == (after["status"] == "completed")
    assert after["happens_at"] == (after["completed_at"] or scheduled_at)
    assert standing({**given_, **after}) == after
    assert status in (None, after["status"])


FILES = {
    "hubspot": (
        (
            "Record ID,Meeting name,Meeting outcome,Start Time,Activity date,Meeting description,Activity assigned to,"
            "Create Date\n"
            "1,Demo,COMPLETED,2024-05-06 10:00,2024-05-06 10:00,Went well,Ada Park,2024-05-01 09:00\n"
            "2,Next,SCHEDULED,2024-05-07 10:00,2024-05-07 10:00,,Ada Park,2024-05-01 09:00\n"
            "3,Gone,NO_SHOW,2024-05-08 10:00,2024-05-08 10:00,,Ada Park,2024-05-01 09:00\n"
        ),
        ("--set", "type=meeting"),
    ),
    "salesforce": (
        (
            "Activity ID,Task Subtype,Subject,Status,Date,Full Comments,Assigned,Created Date\n"
            "00T1,Event,Demo,Completed,5/6/2024 10:00 AM,Went well,Ada Park,5/1/2024 9:00 AM\n"
            "00T2,Event,Next,Not Started,5/7/2024 10:00 AM,,Ada Park,5/1/2024 9:00 AM\n"
            "00T3,Event,Gone,Canceled,5/8/2024 10:00 AM,,Ada Park,5/1/2024 9:00 AM\n"
        ),
        ("--value", "status.Canceled=cancelled"),
    ),
    "pipedrive": (
        (
            "Activity - ID,Activity - Type,Activity - Subject,Activity - Done,Activity - Due date,"
            "Activity - Marked as done time,Activity - Note,Activity - Assigned to user,Activity - Add time\n"
            "1,Meeting,Demo,Done,2024-05-06 10:00,2024-05-06 10:00:00,Went well,Ada Park,2024-05-01 09:00:00\n"
            "2,Lunch,Next,To do,2024-05-07 10:00,,,Ada Park,2024-05-01 09:00:00\n"
            "3,Meeting,Gone,Deleted,2024-05-08 10:00,,,Ada Park,2024-05-01 09:00:00\n"
        ),
        ("--value", "status.Deleted=cancelled"),
    ),
}


@pytest.mark.parametrize("crm", sorted(FILES))
def test_what_another_crm_exports_comes_in_with_its_preset(put_in: Run, take_out: Out, crm: str) -> None:
    text, options = FILES[crm]
    assert put_in(text, "--preset", crm, *options)["problems"] == []
    found = take_out()
    assert {one["created_at"] for one in found.values()} == {"2024-05-01T09:00:00+00:00"}
    times = {name: f"2024-05-0{day}T10:00:00+00:00" for name, day in (("Demo", 6), ("Next", 7), ("Gone", 8))}
    demo = {"completed_at": times["Demo"], "notes": "Went well"}
    assert {name: said(one) for name, one in found.items()} == {
        "Demo": {"type": "meeting", "status": "completed", "scheduled_at": times["Demo"], **demo},
        "Next": {"type": "meeting", "status": "scheduled", "scheduled_at": times["Next"]},
        "Gone": {"type": "meeting", "status": "cancelled", "scheduled_at": times["Gone"]},
    }
    assert put_in(text, "--preset", crm, *options)["unchanged"] == 3
