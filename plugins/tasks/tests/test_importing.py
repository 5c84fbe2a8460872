"""Tasks that come in from files: where they stand, and how other CRMs write them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty import Invalid
from sixty.cli import cli
from sixty_tasks.forms import standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., dict[str, Any]]
    Out = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture
def sixty(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs one command as Ada, who is an admin, in a folder of its own, with tasks alone."""
    for name in os.environ:
        if name.startswith("SIXTY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def one(*arguments: str) -> Result:
        who = ("--user", "ada@example.com") if arguments[0] in ("import", "export") else ()
        settings = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": "tasks"}
        return CliRunner().invoke(cli, (*arguments, *who), env=settings, prog_name="sixty")

    one("user", "add", "ada@example.com", "--name", "Ada Park", "--role", "admin")
    return one


@pytest.fixture
def put_in(sixty: Callable[..., Result]) -> Run:
    """Imports a text as a file, and gives what came of it."""

    def one(text: str, *options: str) -> dict[str, Any]:
        Path("file.csv").write_bytes(text.encode())
        return dict(json.loads(sixty("import", "tasks", "file.csv", "--json", *options).stdout))

    return one


@pytest.fixture
def take_out(sixty: Callable[..., Result]) -> Out:
    """What an export gives, by title."""

    def one() -> dict[str, dict[str, Any]]:
        lines = sixty("export", "tasks", "--format", "jsonl").stdout.splitlines()
        return {line.pop("title"): line for line in map(json.loads, lines)}

    return one


def said(task: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in task.items() if name not in ("id", "owner", "created_at")}


def test_a_task_is_as_its_line_says_and_what_it_does_not_say_follows(put_in: Run, take_out: Out) -> None:
    text = (
        "title,status,priority,due_date,completed_at,outcome,description\n"
        "Open,,,2024-05-06,,,Ask\n"
        "Done,,High,,2024-05-06T07:08,Bought,\n"
        "Off,Cancelled,low,,2024-05-06,No money,\n"
        "When,completed,,,,,\n"
        "Not yet,open,,,,Bought,\n"
        "Still,open,,,2024-05-06,,\n"
        ",,,,,,nothing\n"
    )
    told = put_in(text)
    assert {name: said(one) for name, one in take_out().items()} == {
        "Open": {"status": "open", "priority": "medium", "due_date": "2024-05-06", "description": "Ask"},
        "Done": {
            "status": "completed",
            "priority": "high",
            "completed_at": "2024-05-06T07:08:00+00:00",
            "outcome": "Bought",
        },
        "Off": {"status": "cancelled", "priority": "low", "outcome": "No money"},
        "Still": {"status": "open", "priority": "medium"},
    }
    assert [problem["reason"].partition(":")[0] for problem in told["problems"]] == [
        "completed_at is missing",
        "outcome is for a task that has ended, and this one is open; say status=completed, or leave it out",
        "title is missing",
    ]


def test_a_line_that_has_changed_changes_what_it_says(put_in: Run, take_out: Out, sixty: Callable[..., Result]) -> None:
    sixty("user", "add", "bo@example.com", "--name", "Bo Beck")
    put_in("key,title,due_date,priority\n1,Call,2024-05-06,high\n", "--key", "key")
    told = put_in("key,title,completed_at,owner\n1,Call,2024-05-07,Bo Beck\n", "--key", "key")
    task = take_out()["Call"]
    assert (told["updated"], task["owner"]) == (1, "bo@example.com")
    due = {"priority": "high", "due_date": "2024-05-06"}
    assert said(task) == {"status": "completed", "completed_at": "2024-05-07T00:00:00+00:00", **due}
    put_in("key,title,status,completed_at\n1,Call him,cancelled,\n", "--key", "key")
    assert said(take_out()["Call him"]) == {"status": "cancelled", **due}
    put_in("key,title,completed_at\n1,Call her,\n", "--key", "key")
    assert said(take_out()["Call her"]) == {"status": "cancelled", **due}
    put_in("key,title\n1,Call\n", "--key", "key")
    assert said(take_out()["Call"]) == {"status": "cancelled", **due}


moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@given(
    status=st.sampled_from([None, "open", "completed", "cancelled"]),
    completed_at=moments,
    outcome=st.sampled_from([None, "", "Bought"]),
)
@settings(max_examples=60, deadline=None)
def test_exactly_a_completed_task_has_a_time_of_completion(
    status: str | None, completed_at: datetime | None, outcome: str | None
) -> None:
    given_ = {"status": status, "completed_at": completed_at, "outcome": outcome}
    if (status == "completed" and completed_at is None) or (
        outcome and (status == "open" or (status is None and completed_at is None))
    ):
        with pytest.raises(Invalid):
            standing(given_)
        return
    after = standing(given_)
    assert (after.completed_at is not None) == (after.status == "completed")
    assert standing(asdict(after)) == after
    assert (status or after.status, outcome) == (after.status, after.outcome)


FILES = {
    "hubspot": (
        "Record ID,Task Title,Task Status,Priority,Due date,Completed at,Notes,Assigned to,Create Date\n"
        "1,Call,NOT_STARTED,NONE,2024-05-06,,Ask,Ada Park,2024-05-01 09:00\n"
        "2,Write,COMPLETED,HIGH,2024-05-07,2024-05-08 10:00,,Ada Park,2024-05-01 09:00\n"
    ),
    "salesforce": (
        "Activity ID,Subject,Status,Priority,Due Date,Completed Date/Time,Full Comments,Assigned,Created Date\n"
        "00T1,Call,Not Started,Normal,5/6/2024,,Ask,Ada Park,5/1/2024 9:00 AM\n"
        "00T2,Write,Completed,High,5/7/2024,5/8/2024 10:00 AM,,Ada Park,5/1/2024 9:00 AM\n"
    ),
    "pipedrive": (
        "Activity - ID,Activity - Subject,Activity - Done,Activity - Priority,Activity - Due date,"
        "Activity - Marked as done time,Activity - Note,Activity - Assigned to user,Activity - Add time\n"
        "1,Call,To do,,2024-05-06,,Ask,Ada Park,2024-05-01 09:00:00\n"
        "2,Write,Done,High,2024-05-07,2024-05-08 10:00:00,,Ada Park,2024-05-01 09:00:00\n"
    ),
}


@pytest.mark.parametrize("crm", sorted(FILES))
def test_what_another_crm_exports_comes_in_with_its_preset(put_in: Run, take_out: Out, crm: str) -> None:
    assert put_in(FILES[crm], "--preset", crm)["problems"] == []
    found = take_out()
    assert {one["created_at"] for one in found.values()} == {"2024-05-01T09:00:00+00:00"}
    ended = {"status": "completed", "completed_at": "2024-05-08T10:00:00+00:00"}
    assert {name: said(one) for name, one in found.items()} == {
        "Call": {"status": "open", "priority": "medium", "due_date": "2024-05-06", "description": "Ask"},
        "Write": {"priority": "high", "due_date": "2024-05-07", **ended},
    }
    assert put_in(FILES[crm], "--preset", crm)["unchanged"] == 2


def test_a_task_of_which_only_the_due_date_is_known_was_completed_then(put_in: Run, take_out: Out) -> None:
    put_in("Subject,Status,Due Date\nCall,Completed,5/6/2024\n", "--preset", "salesforce")
    assert take_out()["Call"]["completed_at"] == "2024-05-06T00:00:00+00:00"
