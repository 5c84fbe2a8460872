"""The workflows are what the forge takes, and whoever changes one of what they use changes nothing here."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from written import ROOT, read

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.deploy

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
DELIVER, ROLLOUT = read(FOLDER / "deliver.yml"), read(FOLDER / "rollout.yml")


def test_they_are_what_the_forge_takes(program: Callable[[str], str]) -> None:
    command = [program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a linter
    assert done.returncode == 0, done.stdout


def test_an_auditor_finds_no_weakness(program: Callable[[str], str]) -> None:
    command = [program("zizmor"), "--offline", "--no-progress", "--min-severity", "medium", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a linter
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_others_wrote_is_of_one_commit(path: Any) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text())
    assert used
    for action in used:
        assert action.startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action


def test_no_job_may_do_more_than_it_needs() -> None:
    assert DELIVER["permissions"] == ROLLOUT["permissions"] == {}
    allowed = {name: job["permissions"] for name, job in DELIVER["jobs"].items()}
    assert {name for name, may in allowed.items() if may.get("packages") == "write"} == {"image"}
    assert {name for name, may in allowed.items() if may.get("id-token") == "write"} == {"staging", "production"}
    assert {may["contents"] for may in allowed.values()} == {"read"}


def test_the_tests_have_the_history_of_which_they_run_old_code() -> None:
    [checkout] = [step["with"] for step in DELIVER["jobs"]["test"]["steps"] if "uses" in step]
    assert checkout["fetch-depth"] == 0


def test_production_is_served_what_was_tested_and_has_served_in_staging() -> None:
    jobs = DELIVER["jobs"]
    assert jobs["image"]["needs"] == "test"
    assert jobs["staging"]["needs"] == "image"
    assert set(jobs["production"]["needs"]) == {"image", "staging"}
    assert jobs["staging"]["with"]["image"] == jobs["production"]["with"]["image"]
    assert ROLLOUT["jobs"]["rollout"]["environment"]["name"] == "${{ inputs.environment }}"


def test_a_rollout_is_never_cut_off_by_the_next_one() -> None:
    for workflow in (DELIVER, ROLLOUT):
        assert workflow["concurrency"]["cancel-in-progress"] is False
