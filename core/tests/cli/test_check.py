"""A report about somebody's pack, which says what is wrong, why it matters and how to mend it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sixty.cli import cli

if TYPE_CHECKING:
    from click.testing import Result

PROJECT = """
[project]
name = "sixty-{name}"
version = "0.1.0"
dependencies = ["sixty-core"]

[project.entry-points."sixty.plugins"]
{name} = "sixty_{name}"
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    monkeypatch.chdir(tmp_path)
    # what hypothesis has found out about the sources once, it need not find out again
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(pytestconfig.rootpath / ".hypothesis"))
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)


def check(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(cli, ["plugins", "check", *arguments], env=environ, prog_name="sixty")


def pack(name: str, source: str, more: str = "") -> str:
    """A pack of one file, in a folder of its own."""
    Path(name).mkdir()
    Path(name, "pyproject.toml").write_text(PROJECT.format(name=name) + more)
    Path(name, f"sixty_{name}.py").write_text(source)
    return name


def test_a_new_pack_keeps_to_every_rule() -> None:
    CliRunner().invoke(cli, ["plugins", "new", "site_visits"], env={"SIXTY_PLUGINS": ""}, prog_name="sixty")
    result = check("sixty-site-visits")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(
        "site_visits, on SQLite; set TEST_POSTGRES_URL to check it on Postgres too.\n\n✓ It"
    )
    assert "✗" not in result.stdout
    assert "\nfind_site_visits " in result.stdout
    assert result.stdout.endswith(" kept, 0 broken, 0 skipped.\n")


CARELESS = '''
from collections.abc import Sequence

import sqlalchemy as sa
from pydantic import BaseModel

from sixty import Arguments, Call, Kind, Permissions, Record, Result, Tables, Text, Tool, hookimpl, record_table, tool
from sixty.ids import new_id

metadata = sa.MetaData()
notes = record_table("notes", metadata, sa.Column("text", sa.Text))


class Note(Record):
    text: str


NOTE = Kind("note", notes, Note, resource="notes", title="text")
EVERY = sa.select(notes)


class AddNote(Arguments):
    text: Text


class Found(Result):
    notes: list[str]


@tool("add_note", permission="notes:create", effect="create")
async def add_note(args: AddNote, call: Call) -> Result:
    """Add a note."""
    print(args.text[1])
    await call.records.add(NOTE, {"text": args.text})
    return Result(message="Added")


@tool("list_notes", permission=None, effect="read")
async def list_notes(args: Arguments, call: Call) -> Found:
    """List notes."""
    return Found(message="Listed", notes=[row["id"] for row in await call.unit.rows(EVERY, {})])


@hookimpl
def sixty_tools() -> Sequence[Tool]:
    return [add_note, list_notes]


@hookimpl
def sixty_tables() -> Tables:
    return Tables(metadata, kinds=(NOTE,))


def sixty_search():
    return []


@hookimpl
def sixty_permissions() -> Sequence[Permissions]:
    actions = {"read": "Read", "create": "Write notes", "sing": "Sing notes"}
    return [Permissions("notes", actions, {"user": ("notes:*:own",)})]
'''


def test_what_is_wrong_is_said_with_where_why_and_how_to_mend_it() -> None:
    result = check(pack("notes", CARELESS))
    assert result.exit_code == 1, result.output
    for title, wrong in (
        (
            "Each of its hooks is marked as one",
            "without @hookimpl: sixty_search\n    why:   A hook without the",
        ),
        ("The pack and each of its tools and jobs say what they are for", "the module sixty_notes has no docstring"),
        ("Each tool asks for a permission", "a tool without a permission is for everybody: list_notes"),
        ("Each permission is said in a sentence", "without a sentence: notes:read"),
        ("Each permission is asked for", "nothing asks for notes:sing"),
        ("It imports only what is public", "not public: sixty_notes.py imports sixty.ids.new_id"),
        ("What one may not read or change is neither shown nor changed", "list_notes, called with {} by a user of"),
        ("Allowed arguments are served or refused, and each effect is true", "add_note failed with 'internal', called"),
    ):
        assert f"✗ {title}\n    wrong: {wrong}" in result.stdout, f"{title} is not in\n{result.stdout}"
    assert "    IndexError: string index out of range" in result.stdout
    assert "    mend:  Read by `call.records` and `call.rows`, write by `call.records`: they know" in result.stdout
    assert "✓ It loads\n" in result.stdout
    assert "✓ Undoing what was created leaves nothing\n" in result.stdout


def test_a_pack_that_does_not_load_is_told_why_and_asked_nothing_else() -> None:
    result = check(pack("notes", "import nothing_like_it\n"))
    assert result.exit_code == 1
    assert "✗ It loads\n    wrong: ModuleNotFoundError: No module named 'nothing_like_it'\n" in result.stdout
    assert "– Its tools are small (skipped: a pack that does not load cannot be asked)" in result.stdout  # noqa: RUF001
    assert "0 kept, 1 broken, 19 skipped." in result.stdout


def test_machines_are_told_the_same_as_json() -> None:
    result = check(pack("notes", "import nothing_like_it\n"), "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["pack"], told["kept"], told["databases"]) == ("notes", False, ["SQLite"])
    assert {rule["outcome"] for rule in told["rules"]} == {"broken", "skipped"}
    (broken,) = [rule for rule in told["rules"] if rule["outcome"] == "broken"]
    assert broken["rule"] == "It loads"
    assert broken["problems"] == ["ModuleNotFoundError: No module named 'nothing_like_it'"]
    assert broken["why"].startswith("A pack that does not load is quarantined")
    assert broken["mend"].startswith("Import its module by hand")
    assert told["bytes"] == {"most_on_average": 900, "tools": {}}


TOLD = '''
"""Greetings, which are told what to say."""

from sixty import Arguments, Invalid, Call, PackSettings, Result, Text, hookimpl, tool


class Settings(PackSettings):
    greeting: str


class Greet(Arguments):
    name: Text


@tool("greet", permission=None, effect="read")
async def greet(args: Greet, call: Call) -> Result:
    """Greet somebody."""
    if not args.name.startswith("A"):
        raise Invalid("name must begin with an A, got another letter")
    return Result(message=f"{call.settings.greeting}, {args.name}")


@hookimpl
def sixty_settings():
    return Settings


@hookimpl
def sixty_tools():
    return [greet]
'''
TABLE = """
[tool.sixty.check]
for_everybody = ["greet"]
examples.greet = {name = "Ann"}
"""


def test_what_the_suite_has_to_know_is_taken_from_the_project_and_from_the_command() -> None:
    folder = pack("greetings", TOLD, TABLE)
    result = check(folder)
    assert result.exit_code == 1
    assert "the setting SIXTY_GREETINGS_GREETING is bad: Field required" in result.stdout
    result = check(folder, "--env", "SIXTY_GREETINGS_GREETING=Hello", SIXTY_GREETINGS_GREETING="not asked for")
    assert result.exit_code == 0, result.output


def test_a_pack_that_is_not_there_is_named_with_what_to_do() -> None:
    def refused(*arguments: str, status: int = 1) -> str:
        result = check(*arguments)
        assert result.exit_code == status, result.output
        return result.stderr

    assert "'nothing' is neither a folder nor an installed pack" in refused("nothing")
    Path("empty").mkdir()
    assert "empty has no pyproject.toml: give the folder of a pack" in refused("empty")
    Path("empty/pyproject.toml").write_text("[project")
    assert "empty/pyproject.toml: " in refused("empty")
    Path("empty/pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert 'declares no pack; it needs one line under [project.entry-points."sixty.plugins"]' in refused("empty")
    folder = pack("notes", "", 'more = "sixty_more"\n')
    assert "declares several packs, more, notes" in refused(folder)
    Path(folder, "pyproject.toml").write_text(PROJECT.format(name="notes"))
    Path(folder, "sixty_notes.py").unlink()
    assert "there is neither notes/src/sixty_notes nor notes/sixty_notes: correct" in refused(folder)
    assert "has an unknown key 'example'; did you mean 'examples'" in refused(
        pack("a", "", "[tool.sixty.check]\nexample = 1\n")
    )
    assert "the companion 'nobody' is not installed" in refused(
        pack("b", "", '[tool.sixty.check]\ncompanions = ["nobody"]\n')
    )
    assert "write SIXTY_NAME=VALUE" in refused(folder, "--env", "NAME=VALUE", status=2)
    assert "write SIXTY_NAME=VALUE" in refused(folder, "--env", "SIXTY_NAME", status=2)


def test_tests_that_end_before_their_end_are_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    result = check(pack("notes", "import os\nos._exit(3)\n"))
    assert result.exit_code == 1
    assert "Error: the tests did not run to their end" in result.stderr


def test_who_has_not_what_tests_need_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr("sixty.cli.check.find_spec", lambda name: None if name == "hypothesis" else there(name))
    assert "the check needs hypothesis: type pip install 'sixty-core[testing]'" in check("x").stderr
