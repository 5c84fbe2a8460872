"""A pack made by `sixty plugins new`: what is in it, and what it may be called."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sixty.cli import cli
from sixty.cli.new import TEMPLATE

if TYPE_CHECKING:
    from click.testing import Result


def new(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plugins", "new", *arguments], env={"SIXTY_PLUGINS": ""}, prog_name="sixty")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_new_pack_is_a_whole_one_and_says_what_to_type_next() -> None:
    result = new("site_visits")
    assert result.stdout == (
        "The pack site_visits is in sixty-site-visits. Type next:\n\n"
        "    pip install -e './sixty-site-visits[testing]'\n"
        "    pytest ./sixty-site-visits\n"
        "    sixty plugins show site_visits\n"
    )
    folder = Path("sixty-site-visits")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "sixty-site-visits"
    assert project["entry-points"]["sixty.plugins"] == {"site_visits": "sixty_site_visits.plugin"}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "README.md",
        "pyproject.toml",
        "src/sixty_site_visits/__init__.py",
        "src/sixty_site_visits/migrations/0001_site_visits.py",
        "src/sixty_site_visits/plugin.py",
        "src/sixty_site_visits/py.typed",
        "src/sixty_site_visits/tables.py",
        "src/sixty_site_visits/tools.py",
        "tests/conftest.py",
        "tests/test_site_visits.py",
        "tests/test_suite.py",
    }


def test_nothing_of_the_template_is_left_in_a_new_pack() -> None:
    new("site_visits")
    for path in Path("sixty-site-visits").rglob("*"):
        text = path.read_text().lower() if path.is_file() else ""
        assert re.search(r"example|\bthing|_thing|\bitems?\b", text + path.name) is None, path


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("invoice", "Invoice", "Invoices"),
        ("visits", "Visit", "Visits"),
        ("companies", "Company", "Companies"),
        ("party", "Party", "Parties"),
        ("boxes", "Box", "Boxes"),
        ("status", "Status", "Statuses"),
        ("class_notes", "ClassNote", "ClassNotes"),
        ("s", "S", "Ses"),
    ],
)
def test_one_record_and_several_are_called_as_in_english(name: str, one: str, many: str) -> None:
    new(name)
    tools = Path(f"sixty-{name.replace('_', '-')}/src/sixty_{name}/tools.py").read_text()
    assert f"class Add{one}(Arguments)" in tools
    assert f"class Find{many}(Arguments)" in tools
    compile(tools, "tools.py", "exec")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Visits", "'Visits' cannot be a pack's name: write small letters, digits and underscores"),
        ("2visits", "beginning with a letter"),
        ("visits_", "such as site_visits"),
        ("v" * 41, "at most 40 characters"),
        ("class", "'class' is a keyword of Python: choose another name"),
        ("match", "'match' is a keyword of Python"),
        ("calendar", "'calendar' is a module of Python itself: choose another name, such as sales_calendar"),
        ("core", "there is a pack 'core' already: choose another name; `sixty plugins list` shows"),
        ("users", "the table users belongs to core"),
        ("command", "there is a module sixty_command already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_what_to_do(name: str, said: str) -> None:
    result = new(name)
    assert result.exit_code == 1
    assert said in result.stderr
    assert list(Path().iterdir()) == []


def test_a_folder_that_is_there_is_not_touched() -> None:
    Path("sixty-visits").mkdir()
    result = new("visits")
    assert result.exit_code == 1
    assert "sixty-visits is there already, and nothing in it is overwritten" in result.stderr
    assert list(Path("sixty-visits").iterdir()) == []
    assert new("visits", "--into", "packs").exit_code == 0
    assert Path("packs/sixty-visits/pyproject.toml").exists()


def test_a_place_that_cannot_be_written_is_named() -> None:
    Path("packs").write_text("")
    Path("full").mkdir()
    assert "is a file" in new("visits", "--into", "packs").stderr
    (Path("full") / "more").write_text("")
    assert "cannot write full/more/below/sixty-visits" in new("visits", "--into", "full/more/below").stderr


def test_the_path_to_type_is_one_that_a_shell_takes(tmp_path: Path) -> None:
    said = new("visits", "--into", str(tmp_path / "my packs")).stdout
    assert f"    pip install -e '{tmp_path}/my packs/sixty-visits[testing]'\n" in said
    assert f"    pytest '{tmp_path}/my packs/sixty-visits'\n" in said


def test_what_python_has_compiled_of_the_template_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiled = tmp_path / "template" / "src" / "__pycache__"
    compiled.mkdir(parents=True)
    (compiled / "plugin.pyc").write_bytes(b"\xff")
    (tmp_path / "template" / "README.md").write_text("sixty-example")
    monkeypatch.setattr("sixty.cli.new.TEMPLATE", tmp_path / "template")
    assert TEMPLATE.is_dir()
    new("visits")
    assert [path.name for path in Path("sixty-visits").rglob("*")] == ["README.md"]
    assert Path("sixty-visits/README.md").read_text() == "sixty-visits"
