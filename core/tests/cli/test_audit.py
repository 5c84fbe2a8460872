"""The audit trail as an operator sees it: looked at, verified, exported; and what operators do is in it."""

from __future__ import annotations

import asyncio
import csv
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty import operator as operators
from sixty.audit import report
from sixty.operator import operator
from sixty.storage.database import open_database
from sixty.storage.statements import Write
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

ADA = "ada@example.com"


@pytest.fixture
def called(run: Callable[..., Result]) -> Callable[..., Result]:
    """Runs one command, after Ada was added and has searched twice."""
    run("user", "add", ADA, "--role", "admin")
    for query in ("one", "=two"):
        run("call", "search_crm", json.dumps({"query": query}), "--user", ADA)
    return run


def tamper(url: str, statement: Any) -> None:
    async def apply() -> None:
        database = await open_database(url)
        await database.apply([Write(statement, {})])
        await database.close()

    asyncio.run(apply())


def newest(run: Callable[..., Result]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(run("audit", "tail", "-n", "1", "--json").stdout)[0]
    return line


def test_a_whole_trail_verifies_and_gives_a_head_to_keep(called: Callable[..., Result]) -> None:
    result = called("audit", "verify")
    assert result.exit_code == 0
    assert "3 lines in 3 seals are as they were written." in result.stdout
    head = result.stdout.splitlines()[-1].removeprefix("head ")
    called("user", "list")
    assert called("audit", "verify", "--head", head).exit_code == 0
    other = called("audit", "verify", "--head", "1:" + "0" * 64)
    assert other.exit_code == 1
    assert "when its head was kept" in other.stdout
    assert called("audit", "verify", "--head", "one").exit_code == 2


def test_a_trail_that_was_changed_is_told_by_number_and_call(called: Callable[..., Result], database_url: str) -> None:
    line = newest(called)
    tamper(database_url, sa.update(audit).where(audit.c.seq == line["seq"]).values(outcome="forbidden"))
    result = called("audit", "verify")
    assert result.exit_code == 1
    assert f"the line {line['seq']} is not as it was written" in result.stdout
    assert line["call_id"] in result.stdout
    told = json.loads(called("audit", "verify", "--json").stdout)
    assert (told["ok"], told["found"]) == (False, 1)
    assert told["findings"][0] | {"message": ""} == {
        "what": "changed",
        "seq": line["seq"],
        "call_id": line["call_id"],
        "message": "",
    }


def test_what_an_operator_does_is_in_the_trail_with_who_they_are_and_no_secret(called: Callable[..., Result]) -> None:
    called("grant", "add", ADA, "access:explain")
    line = newest(called)
    assert (line["tool"], line["outcome"], line["transport"], line["client"]) == (
        "sixty grant add",
        "ok",
        "cli",
        operator(),
    )
    assert line["arguments"] == {"email": ADA, "permission": "access:explain"}
    assert operator() in called("audit", "tail", "-n", "1").stdout
    assert called("key", "revoke", "none").exit_code == 1
    line = newest(called)
    assert (line["tool"], line["outcome"]) == ("sixty key revoke", "not_found")
    assert called("plugins", "enable", "notes-that-are-not-there").exit_code == 1
    assert newest(called)["outcome"] != "ok"


def test_a_command_that_makes_calls_is_in_the_trail_by_these(called: Callable[..., Result]) -> None:
    called("call", "search_crm", '{"query": "three"}', "--user", ADA)
    line = newest(called)
    assert (line["tool"], line["user"], line["client"]) == ("search_crm", ADA, operator())


def test_the_trail_is_exported_for_its_owner_alone_with_what_it_takes_to_check_it(
    called: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / "trail.csv"
    assert "3 lines exported" in called("audit", "export", str(path)).stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [row["tool"] for row in rows] == ["sixty user add", "search_crm", "search_crm"]
    assert [row["seal"] for row in rows] == ["1", "2", "3"]
    assert json.loads(rows[2]["arguments"]) == {"query": "=two"}
    assert len(rows[0]["mac"]) == 64
    assert rows[2]["user"] == ADA
    lines = called("audit", "export", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["mac"] for line in lines][:3] == [row["mac"] for row in rows]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--user", ADA], 2),
        (["--tool", "search_crm", "--outcome", "ok"], 2),
        (["--outcome", "forbidden"], 0),
        (["--since", "2999-01-01"], 0),
        (["--until", "2999-01-01T00:00:00+02:00", "--tool", "sixty user add"], 1),
    ],
)
def test_only_what_is_wanted_is_exported(called: Callable[..., Result], options: list[str], count: int) -> None:
    assert len(called("audit", "export", "--format", "jsonl", *options).stdout.splitlines()) == count


def test_a_time_that_is_none_is_not_understood(called: Callable[..., Result]) -> None:
    assert called("audit", "export", "--since", "yesterday").exit_code == 2


def test_texts_that_a_spreadsheet_would_run_are_made_harmless(called: Callable[..., Result]) -> None:
    called("call", "=cmd|' /C calc'!A0", "--user", ADA)
    row = list(csv.DictReader(called("audit", "export").stdout.splitlines()))[-1]
    assert row["tool"].startswith("'=cmd")


def test_who_runs_the_process_is_known_by_the_system_and_not_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operators.operator.cache_clear()
    monkeypatch.setenv("LOGNAME", "mallory")
    monkeypatch.setenv("SUDO_USER", "ann")
    try:
        assert "mallory" not in operator()
        assert " for ann@" in operator()
    finally:
        operators.operator.cache_clear()


def test_findings_are_counted_and_only_so_many_told(
    called: Callable[..., Result], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SHOWN", 2)
    tamper(database_url, sa.update(audit).values(outcome="forbidden"))
    told = json.loads(called("audit", "verify", "--json").stdout)
    assert (told["found"], len(told["findings"])) == (3, 2)


def test_erased_is_what_is_said_to_be_and_nothing_of_what_was_typed_is_kept(
    called: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.erasing.erasing.SETTLED", 0.0)
    called("user", "add", "grace@example.com", "--name", "Grace Hopper")
    dry = called("erase", "user", "grace@example.com", "--dry-run")
    assert "1 row of audit trail" in dry.stdout
    assert called("user", "list").stdout.count("grace@example.com") == 1
    asked = called("erase", "user", "grace@example.com")
    assert "nothing was done" in asked.stderr
    told = json.loads(called("erase", "user", "grace@example.com", "--yes", "--json").stdout)
    assert told["found"]["user"] == 1
    lines = called("audit", "export", "--format", "jsonl").stdout
    assert "grace" not in lines.lower()
    assert [json.loads(line)["tool"] for line in lines.splitlines()].count("sixty erase") == 3
    again = called("erase", "user", "grace@example.com", "--yes")
    assert again.exit_code == 1
    assert "grace" not in newest(called)["message"]
    assert called("audit", "verify").exit_code == 0
