"""The commands about jobs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fakes import errands

from sixty import GiveUp
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from sixty import Work


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "STATE", errands.State())


@pytest.fixture
def left(database_url: str) -> list[str]:
    """The ids of three jobs: the first one is done, the second one has failed, the third one waits."""

    async def fail(work: Work) -> None:
        raise GiveUp("no milk today")

    async def leave() -> list[str]:
        errands.STATE.does["milk"] = fail
        async with open_organisation(database_url, [("errands", errands)]) as sixty:
            user = sixty.as_role("user")
            left = [await user.call("leave", label=label, queue="shop") for label in ("bread", "milk")]
            await sixty.work()
            left.append(await user.call("leave", label="eggs", after=10**9))
            return [answer["job_id"] for answer in left]

    return asyncio.run(leave())


def listed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def states(run: Callable[..., Result]) -> dict[str, str]:
    return {row["id"]: row["state"] for row in listed(run("jobs", "list", "--json", "--limit", "100"))}


def test_where_there_are_none_it_says_so(run: Callable[..., Result]) -> None:
    assert run("jobs", "list").stdout == "There are no jobs.\n"
    assert run("jobs", "list", "--state", "failed").stdout == "There are no such jobs.\n"


def test_jobs_are_listed_newest_first_and_narrowed(run: Callable[..., Result], left: list[str]) -> None:
    rows = listed(run("jobs", "list", "--json", "--name", "errands.errand"))
    ours = [row["id"] for row in rows if row["id"] in left]
    assert ours == left[::-1]
    (failed,) = listed(run("jobs", "list", "--state", "failed", "--json"))
    assert (failed["id"], failed["error"]) == (left[1], "no milk today")
    assert [row["id"] for row in listed(run("jobs", "list", "--queue", "shop", "--limit", "1", "--json"))] == [left[1]]
    table = run("jobs", "list", "--state", "failed").stdout
    assert "no milk today" in table
    assert "payload" not in table


def test_one_is_shown_with_whoever_caused_it(run: Callable[..., Result], left: list[str]) -> None:
    shown = listed(run("jobs", "show", left[1], "--json"))
    assert (shown["user"], shown["payload"], shown["attempts"]) == ("uma.user@example.com", {"label": "milk"}, 1)
    assert "no milk today" in run("jobs", "show", left[1]).stdout


def test_what_has_failed_is_tried_again(run: Callable[..., Result], left: list[str]) -> None:
    assert f"errands.errand {left[1]} is due now." in run("jobs", "retry", left[1]).stdout
    shown = listed(run("jobs", "show", left[1], "--json"))
    assert (shown["state"], shown["attempts"], shown["finished_at"]) == ("waiting", 0, None)


def test_what_waits_is_cancelled_and_can_be_tried_after_all(run: Callable[..., Result], left: list[str]) -> None:
    assert f"errands.errand {left[2]} is cancelled." in run("jobs", "cancel", left[2]).stdout
    assert states(run)[left[2]] == "cancelled"
    assert run("jobs", "retry", left[2]).exit_code == 0
    assert states(run)[left[2]] == "waiting"
    assert run("jobs", "retry", left[2]).exit_code == 0


@pytest.mark.parametrize(
    ("command", "which", "message"),
    [
        ("retry", 0, "is done: only what waits, has failed or is cancelled can be tried again"),
        ("cancel", 0, "is done: only what waits can be cancelled"),
        ("cancel", 1, "is failed: only what waits can be cancelled"),
    ],
)
def test_what_cannot_be_is_refused(
    run: Callable[..., Result], left: list[str], command: str, which: int, message: str
) -> None:
    refused = run("jobs", command, left[which])
    assert refused.exit_code == 1
    assert message in refused.stderr


@pytest.mark.parametrize("job_id", ["nonsense", "00000000-0000-7000-8000-000000000000"])
def test_a_job_that_there_is_not_is_not_found(run: Callable[..., Result], job_id: str) -> None:
    for command in ("show", "retry", "cancel"):
        refused = run("jobs", command, job_id)
        assert refused.exit_code == 1
        assert f"there is no job '{job_id}'" in refused.stderr


def test_a_process_that_only_works_does_what_is_due_and_ends(run: Callable[..., Result], left: list[str]) -> None:
    assert (
        run("jobs", "run", "--once").stdout == "Tried 2 jobs: core.clear_expired, core.remove_old_lines.\n"
    )  # no other pack is loaded
    assert run("jobs", "run", "--once").stdout == "Nothing was due.\n"
    assert states(run)[left[2]] == "waiting"


async def test_a_process_that_only_works_ends_when_it_is_told_to(database_url: str) -> None:
    own = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": ""}
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")} | own
    command = ("-c", "from sixty.cli import main; main()", "jobs", "run")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=settings, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(20):
        assert await process.stderr.readline() == b"Doing the jobs that are due.\n"
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
