"""The commands that packs add."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click
import pytest

import sixty.cli
from sixty.cli import GROUP
from sixty.commands import with_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from sixty.host import Host


@click.command()
@click.argument("name")
@with_host
async def greet(host: Host, name: str) -> None:
    """Greet somebody."""
    click.echo(f"Hello {name}, of {len(host.registry.packs)} pack.")


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs commands, in place of those that are: their words, and where they are."""

    def install(**commands: str) -> None:
        added = [EntryPoint(name, value, GROUP) for name, value in commands.items()]

        def found(**wanted: Any) -> Any:
            return added if wanted == {"group": GROUP} else entry_points(**wanted)

        monkeypatch.setattr(sixty.cli, "entry_points", found)

    return install


def module(monkeypatch: pytest.MonkeyPatch, **content: object) -> str:
    made = ModuleType("pack_with_a_command")
    vars(made).update(content)
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made.__name__


def test_a_pack_adds_a_command(
    run: Callable[..., Result], add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(greet=f"{module(monkeypatch, greet=greet)}:greet")
    assert run("greet", "Ada").stdout == "Hello Ada, of 1 pack.\n"
    lines = run("--help").stdout.splitlines()
    assert lines[-1].split() == ["greet", "Greet", "somebody."]
    assert run("greet", "--help").stdout.startswith("Usage: sixty greet [OPTIONS] NAME")


def test_a_pack_does_not_take_a_command_of_the_core(run: Callable[..., Result], add: Callable[..., None]) -> None:
    add(team="no_such_module:team")
    assert run("team", "--help").stdout.startswith("Usage: sixty team")
    assert run("--help").stdout.count("\n  team ") == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module_at_all:greet", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("pack_with_a_command:missing", "AttributeError: "),
        ("pack_with_a_command:text", "it is no click command"),
    ],
)
def test_a_broken_command_says_so_and_breaks_nothing(
    run: Callable[..., Result], add: Callable[..., None], monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    module(monkeypatch, greet=greet, text="Hello")
    add(broken=value, greet="pack_with_a_command:greet")
    refused = run("broken", "--whatever", "is", "typed")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"the command `broken` cannot be loaded from {value}: {reason}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "\n  broken    (cannot be loaded; type it to see why)" in run("--help").stdout
    assert run("greet", "Ada").exit_code == 0


def test_a_command_is_imported_only_when_it_is_typed(run: Callable[..., Result], add: Callable[..., None]) -> None:
    add(broken="no_such_module_at_all:greet")
    assert run("team", "list").exit_code == 0


def test_what_nobody_adds_is_not_understood(run: Callable[..., Result], add: Callable[..., None]) -> None:
    add()
    assert run("greet", "Ada").exit_code == 2
