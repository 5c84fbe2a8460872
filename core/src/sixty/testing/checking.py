"""Checking somebody's pack: `PluginSuite` is run on it in a process of its own, and the outcomes become a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from sixty.errors import OperatorError, nearest
from sixty.lifecycle import GROUP
from sixty.testing.packaging import declared, project_of, read_project
from sixty.testing.reporting import OPTION
from sixty.testing.rules import Rule, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Checked", "Finding", "Subject", "check", "subject_of"]

DATABASES = {"sqlite": "SQLite", "postgres": "Postgres"}
_TABLE = ("examples", "for_everybody", "companions")
_TESTS = """\
from importlib.metadata import entry_points

import pytest

from sixty.testing import PluginSuite


class TestPack(PluginSuite):
    plugin = {module!r}
    name = {name!r}
    companions = tuple((each.name, each) for each in entry_points(group={group!r}) if each.name in {companions!r})
    examples = {examples!r}
    for_everybody = frozenset({for_everybody!r})

    @pytest.fixture
    def environ(self):
        return {environ!r}
"""
_SETTINGS = """\
[pytest]
filterwarnings = error
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A pack to check, and what the suite has to be told about it."""

    name: str
    module: str
    source: Path | None = None
    """The folder that its module is imported from, unless it is an installed one."""
    examples: Mapping[str, Any] = field(default_factory=dict)
    for_everybody: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one rule."""

    rule: Rule
    outcome: str
    """`kept`, `broken` or `skipped`."""
    problems: tuple[str, ...] = ()
    """What is wrong, or why it was skipped."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The report about one pack."""

    subject: Subject
    databases: tuple[str, ...]
    findings: tuple[Finding, ...]
    sizes: Mapping[str, int]
    """Bytes of each tool in the list that every agent reads."""

    @property
    def is_kept(self) -> bool:
        """Whether no rule is broken."""
        return not any(finding.outcome == "broken" for finding in self.findings)


def subject_of(where: str) -> Subject:
    """The pack in a folder, or the installed one of that name. `OperatorError` says why there is none."""
    folder = Path(where)
    if folder.is_dir():
        return _in_folder(folder)
    for entry in entry_points(group=GROUP, name=where):
        found = find_spec(entry.module.partition(".")[0])  # the pack itself is imported by its tests alone
        above = project_of(Path(found.origin), where) if found is not None and found.origin is not None else None
        return Subject(where, entry.module, **_told(above) if above is not None else {})
    known = {entry.name for entry in entry_points(group=GROUP)}
    raise OperatorError(
        f"{where!r} is neither a folder nor an installed pack{nearest(where, known)}; "
        "give the folder that has the pack's pyproject.toml"
    )


def _in_folder(folder: Path) -> Subject:
    found = declared(_project(folder))
    if len(found) != 1:
        names = f"several packs, {', '.join(sorted(found))}" if found else "no pack"
        raise OperatorError(
            f"{folder / 'pyproject.toml'} declares {names}; it needs one line under "
            f'[project.entry-points."{GROUP}"], such as notes = "sixty_notes.plugin"'
        )
    ((name, value),) = found.items()
    module = value.partition(":")[0].strip()
    top = module.partition(".")[0]
    for source in (folder / "src", folder):
        if (source / top).is_dir() or (source / f"{top}.py").is_file():
            return Subject(name, module, source.resolve(), **_told(folder))
    if find_spec(top) is None:
        raise OperatorError(
            f"the entry point {name} names {value}, and there is neither {folder / 'src' / top} nor {folder / top}: "
            "correct the one or the other"
        )
    return Subject(name, module, **_told(folder))


def _told(folder: Path) -> dict[str, Any]:
    """What the table `[tool.sixty.check]` says, for a `Subject`."""
    table = _project(folder).get("tool", {}).get("sixty", {}).get("check", {})
    if unknown := sorted(set(table) - set(_TABLE)):
        raise OperatorError(
            f"[tool.sixty.check] in {folder / 'pyproject.toml'} has an unknown key {unknown[0]!r}"
            f"{nearest(unknown[0], _TABLE)}; there are {', '.join(_TABLE)}"
        )
    lists = {name: tuple(table.get(name, ())) for name in ("for_everybody", "companions")}
    installed = {entry.name for entry in entry_points(group=GROUP)}
    for name in lists["companions"]:
        if name not in installed:
            raise OperatorError(f"the companion {name!r} is not installed{nearest(name, installed)}; install it first")
    return {"examples": table.get("examples", {}), **lists}


def _project(folder: Path) -> dict[str, Any]:
    try:
        return read_project(folder)
    except FileNotFoundError:
        raise OperatorError(f"{folder} has no pyproject.toml: give the folder of a pack") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorError(f"{folder / 'pyproject.toml'}: {error}") from error


def check(subject: Subject, environ: Mapping[str, str]) -> Checked:
    """The report about a pack, served with these settings: on SQLite, and on Postgres where there is one to test on.

    `OperatorError` if its tests cannot be run at all.
    """
    with TemporaryDirectory(prefix="sixty-check-") as made:
        folder = Path(made)
        told = {"examples": subject.examples, "for_everybody": subject.for_everybody, "companions": subject.companions}
        tests = _TESTS.format(module=subject.module, name=subject.name, group=GROUP, environ=dict(environ), **told)
        (folder / "test_pack.py").write_text(tests, encoding="utf-8")
        (folder / "pytest.ini").write_text(_SETTINGS, encoding="utf-8")
        results = _run(folder, subject)
    asked = tuple(DATABASES if "TEST_POSTGRES_URL" in os.environ else ["sqlite"])
    findings = tuple(_findings(results, asked))
    sizes: dict[str, int] = next((result["facts"]["bytes"] for result in results if "bytes" in result["facts"]), {})
    return Checked(subject, tuple(DATABASES[name] for name in asked), findings, sizes)


def _run(folder: Path, subject: Subject) -> list[dict[str, Any]]:
    """What pytest reports of each test, run in a process that has nothing else in it."""
    report = folder / "report.json"
    plugins = ("-p", "sixty.testing.fixtures", "-p", "sixty.testing.reporting", "-p", "no:cacheprovider")
    options = ("--import-mode=importlib", "--assert=plain", "-c", str(folder / "pytest.ini"), OPTION, str(report))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SIXTY_", "PYTEST_"))}
    environ.pop("CI", None)  # which would ask for Postgres
    paths = [str(subject.source) if subject.source is not None else "", environ.get("PYTHONPATH", "")]
    environ |= {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(  # noqa: S603 - our own tests, of a module that is to be imported anyway
        [sys.executable, "-m", "pytest", *plugins, *options, str(folder / "test_pack.py")],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise OperatorError(f"the tests did not run to their end:\n{(ran.stdout + ran.stderr).strip()[-4000:]}")
    results: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))
    return results


def _findings(results: Iterable[Mapping[str, Any]], databases: tuple[str, ...]) -> Iterable[Finding]:
    """One finding for each rule, also for those that pytest did not come to."""
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        if result["database"] in (None, *databases):
            by_rule.setdefault(result["title"], []).append(result)
    for rule in _rules():
        yield _finding(rule, by_rule.get(rule.title, []), databases)


def _rules() -> list[Rule]:
    """Every rule, in the order in which it is asked for."""
    from sixty.testing.suite import PluginSuite  # noqa: PLC0415 - only now is everything needed that tests need

    tests = (test for owner in reversed(PluginSuite.__mro__) for test in vars(owner).values())
    return [rule for test in tests if (rule := rule_of(test)) is not None]


def _finding(rule: Rule, results: list[Mapping[str, Any]], databases: tuple[str, ...]) -> Finding:
    if not results:
        return Finding(rule, "skipped", ("a pack that does not load cannot be asked",))
    broken = [result for result in results if result["outcome"] == "failed"]
    skipped = [result for result in results if result["outcome"] == "skipped"]
    if broken:
        everywhere = len(broken) == len(databases) or broken[0]["database"] is None
        told = broken[:1] if everywhere else broken
        return Finding(rule, "broken", tuple(_told_where(result, everywhere=everywhere) for result in told))
    if len(skipped) == len(results):
        return Finding(rule, "skipped", (str(skipped[0]["message"]),))
    return Finding(rule, "kept")


def _told_where(result: Mapping[str, Any], *, everywhere: bool) -> str:
    where = "" if everywhere else f"on {DATABASES[result['database']]}: "
    log = f"\n{result['log']}" if "the log has the traceback" in result["message"] else ""
    return f"{where}{result['message']}{log}"
