"""A pytest plugin that writes what became of each rule as JSON, for `checking.py`, and prints nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sixty.testing.rules import rule_of

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["FIRST", "OPTION"]

OPTION = "--sixty-report"
"""Where the report goes."""
FIRST = "test_it_loads"
"""The rule without which no other can be asked for."""
LOG = 1_500
"""Characters of a log's end."""

_results: list[dict[str, Any]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """The report has a place."""
    parser.addoption(OPTION, type=Path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What became of a rule is noted."""
    report = yield
    rule = rule_of(getattr(item, "function", None))
    if rule is not None and (report.when == "call" or not report.passed):
        database = getattr(item, "callspec", None)
        _results.append(
            {
                **asdict(rule),
                "id": getattr(item, "originalname", item.name).removeprefix("test_"),
                "database": database.params.get("database_url") if database is not None else None,
                "outcome": report.outcome,
                "message": _message(call),
                "log": report.caplog[-LOG:] if report.failed else "",
                "facts": dict(report.user_properties),
            }
        )
        if report.failed and item.name.startswith(FIRST):
            item.session.shouldstop = "it does not load"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The report is written."""
    path: Path = session.config.getoption(OPTION)
    path.write_text(json.dumps(_results), encoding="utf-8")


def _message(call: pytest.CallInfo[None]) -> str:
    """What was raised, in words: an assertion's own, and the class of anything else."""
    if call.excinfo is None:
        return ""
    error = call.excinfo.value
    told = isinstance(error, AssertionError | pytest.fail.Exception | pytest.skip.Exception)
    return str(error) if told else f"{type(error).__name__}: {error}"
