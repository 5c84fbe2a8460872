"""`sixty target`: targets for periods, and whose they are."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from sixty.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs one command; the pack alone is loaded."""
    for name in os.environ:
        if name.startswith("SIXTY_"):
            monkeypatch.delenv(name)

    def run_one(*arguments: str, **environ: str) -> Result:
        settings = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": "analytics", **environ}
        return CliRunner().invoke(cli, arguments, env=settings, prog_name="sixty")

    return run_one


@pytest.fixture
def north(run: Callable[..., Result]) -> None:
    """A team, and somebody in it."""
    assert run("team", "add", "North").exit_code == 0
    assert run("user", "add", "ann@example.com", "--name", "Ann", "--team", "North").exit_code == 0


def listed(run: Callable[..., Result]) -> list[Any]:
    result = run("target", "list", "--json")
    assert result.exit_code == 0, result.output
    found: list[Any] = [list(row.values()) for row in json.loads(result.stdout)]
    return found


@pytest.mark.usefixtures("north")
def test_targets_are_set_for_everybody_a_team_and_an_owner(run: Callable[..., Result]) -> None:
    said = run("target", "set", "2026-q3", "250000").stdout
    assert said == "The target of the organisation for 2026-Q3 is 250,000.00 now.\n"
    said = run("target", "set", "2026", "999999.99", "--team", "North").stdout
    assert said == "The target of team North for 2026 is 999,999.99 now.\n"
    said = run("target", "set", "2026-07", "1e4", "--owner", "Ann@Example.com").stdout
    assert said == "The target of Ann for 2026-07 is 10,000.00 now.\n"
    assert listed(run) == [
        ["2026", "North", None, "999999.99"],
        ["2026-07", None, "ann@example.com", "10000.00"],
        ["2026-Q3", None, None, "250000.00"],
    ]


@pytest.mark.usefixtures("north")
@pytest.mark.parametrize("whose", [(), ("--team", "North"), ("--owner", "ann@example.com")])
def test_a_target_replaces_the_one_before_and_is_removed(run: Callable[..., Result], whose: tuple[str, ...]) -> None:
    for other in ((), ("--team", "North"), ("--owner", "ann@example.com")):
        run("target", "set", "2026-Q3", "1", *other)
    run("target", "set", "2026-Q3", "2", *whose)
    assert sorted(row[3] for row in listed(run)) == ["1.00", "1.00", "2.00"]
    removed = run("target", "remove", "2026-Q3", *whose)
    assert removed.stdout.endswith(" for 2026-Q3 is gone.\n")
    assert [row[3] for row in listed(run)] == ["1.00", "1.00"]
    again = run("target", "remove", "2026-Q3", *whose)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "there is no such target for 2026-Q3" in again.stderr


def test_there_are_no_targets_at_first(run: Callable[..., Result]) -> None:
    assert run("target", "list").stdout == "There are no targets; `sixty target set PERIOD AMOUNT` sets one.\n"


@pytest.mark.usefixtures("north")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2026-Q5", "1"), "period must be written as"),
        (("2026", "0"), "amount must be a number above 0"),
        (("2026", "1.001"), "at most two decimals"),
        (("2026", "nan"), "amount must be a number"),
        (("2026", "1e99"), "at most 1000000000000"),
        (("2026", "much"), "got 'much'"),
        (("2026", "1", "--team", "South"), "there is no team 'South'"),
        (("2026", "1", "--owner", "an@example.com"), "did you mean 'ann@example.com'?"),
    ],
)
def test_a_bad_target_is_refused_in_a_sentence(
    run: Callable[..., Result], arguments: tuple[str, ...], said: str
) -> None:
    refused = run("target", "set", *arguments)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert said in refused.stderr
    assert listed(run) == []


@pytest.mark.usefixtures("north")
def test_a_target_has_one_holder(run: Callable[..., Result]) -> None:
    refused = run("target", "set", "2026", "1", "--team", "North", "--owner", "ann@example.com")
    assert refused.exit_code == 2
    assert "not both" in refused.stderr


def test_without_the_pack_there_are_no_targets(run: Callable[..., Result]) -> None:
    refused = run("target", "list", SIXTY_PLUGINS="")
    assert refused.exit_code == 1
    assert "targets belong to the pack analytics, which does not serve here" in refused.stderr
