"""`sixty plugins enable` and `disable`, as typed; what they do to running servers is tested with the host."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest
from fakes import notes, sums

from sixty import lifecycle
from sixty.cli import asking, pip
from sixty.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

BOTH = {"SIXTY_PLUGINS": "notes,sums"}


class Distribution:
    """What is known of an installed distribution."""

    version = "1.0"

    def __init__(self, pack: str) -> None:
        self.name = f"sixty-{pack}"
        self.entry_points = EntryPoints([EntryPoint(pack, f"fakes.{pack}", lifecycle.GROUP)._for(self)])


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pip was told to uninstall, and has not."""
    found: list[str] = []
    monkeypatch.setattr(pip, "uninstall", found.append)
    return found


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these, and no others, were installed."""
    entries = [entry for name in ("notes", "sums") for entry in Distribution(name).entry_points]
    assert [module.__name__ for module in (notes, sums)] == [entry.value for entry in entries]
    monkeypatch.setattr(lifecycle, "entry_points", lambda **_: entries)


def states(run: Callable[..., Result], **environ: str) -> dict[str, str]:
    listed = json.loads(run("plugins", "list", "--json", **(environ or BOTH)).stdout)
    return {pack["name"]: pack["state"] for pack in listed}


def test_a_pack_is_disabled_and_enabled_and_says_what_it_brings(run: Callable[..., Result]) -> None:
    assert states(run) == {"core": "loaded", "notes": "loaded", "sums": "loaded"}
    assert run("plugins", "disable", "sums", **BOTH).stdout == "sums is disabled. Its data is kept.\n"
    assert run("plugins", "disable", "sums", **BOTH).stdout == "sums is disabled already.\n"
    assert states(run) == {"core": "loaded", "notes": "loaded", "sums": "disabled"}
    shown = json.loads(run("plugins", "show", "sums", "--json", **BOTH).stdout)
    assert (shown["state"], "sum_prices" in shown["tools"]) == ("disabled", True)
    said = run("plugins", "enable", "sums", **BOTH).stdout
    assert said.startswith("sums is enabled. It brings:\n")
    assert "  the tool sum_prices\n" in said
    assert "  the permission sums:read (See sums over notes)\n" in said
    assert run("plugins", "enable", "sums", **BOTH).stdout == "sums is enabled already.\n"


def test_what_others_need_is_disabled_only_by_force(run: Callable[..., Result]) -> None:
    refused = run("plugins", "disable", "notes", **BOTH)
    assert (refused.exit_code, "sums has no tool sum_prices" in refused.stderr) == (1, True)
    assert "--force" in refused.stderr
    forced = run("plugins", "disable", "notes", "--force", **BOTH)
    assert (forced.exit_code, "Without it sums has no tool sum_prices." in forced.stdout) == (0, True)


def test_the_core_and_unknown_packs_are_refused(run: Callable[..., Result]) -> None:
    assert "core cannot be disabled" in run("plugins", "disable", "core", **BOTH).stderr
    assert run("plugins", "enable", "core", **BOTH).stdout == "core is enabled already.\n"
    for command in ("enable", "disable", "show"):
        result = run("plugins", command, "note", **BOTH)
        assert (result.exit_code, "did you mean 'notes'?" in result.stderr) == (1, True)


def test_what_the_settings_leave_out_is_not_allowed(run: Callable[..., Result]) -> None:
    only = {"SIXTY_PLUGINS": "notes"}
    assert states(run, **only) == {"core": "loaded", "sums": "not allowed", "notes": "loaded"}
    assert "SIXTY_PLUGINS does not name it" in run("plugins", "show", "sums", **only).stdout
    assert "SIXTY_PLUGINS does not name sums" in run("plugins", "enable", "sums", **only).stderr


def test_without_a_terminal_nobody_is_asked_and_nothing_is_done(run: Callable[..., Result], removed: list[str]) -> None:
    result = run("plugins", "uninstall", "sums", **BOTH)
    assert (result.exit_code, "--yes says yes" in result.stderr) == (1, True)
    assert states(run)["sums"] == "loaded"
    assert removed == []


def test_at_a_terminal_somebody_is_asked(
    run: Callable[..., Result], removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    result = run("plugins", "uninstall", "sums", typed="n\n", **BOTH)
    assert (result.exit_code, "Uninstall sixty-sums? [y/N]" in result.stdout) == (1, True)
    assert removed == []
    assert "sums is uninstalled" in run("plugins", "uninstall", "sums", typed="y\n", **BOTH).stdout
    assert removed == ["sixty-sums"]


def test_an_uninstalled_pack_leaves_its_data_unless_it_is_to_be_dropped(
    run: Callable[..., Result], removed: list[str]
) -> None:
    run("plugins", "disable", "sums", **BOTH)
    result = run("plugins", "uninstall", "notes", "--yes", **BOTH)
    assert result.stdout == "notes is uninstalled. Its data is kept.\n"
    assert states(run)["notes"] == "disabled"
    assert run("plugins", "enable", "notes", **BOTH).exit_code == 0
    result = run("plugins", "uninstall", "notes", "--yes", "--drop-data", **BOTH)
    assert "With it go its tables and all that is in them: " in result.stdout
    assert result.stdout.endswith("notes is uninstalled. Nothing of it was kept but history.\n")
    assert removed == ["sixty-notes", "sixty-notes"]


def test_what_others_need_is_uninstalled_only_by_force(run: Callable[..., Result], removed: list[str]) -> None:
    refused = run("plugins", "uninstall", "notes", "--yes", **BOTH)
    assert (refused.exit_code, "others need notes" in refused.stderr, removed) == (1, True, [])
    assert run("plugins", "uninstall", "notes", "--yes", "--force", **BOTH).exit_code == 0


def test_without_pip_it_is_said_how_to_get_it(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip, "find_spec", lambda _: None)
    result = run("plugins", "install", "sixty-tiny")
    assert (result.exit_code, "python -m ensurepip" in result.stderr) == (1, True)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As if pip had a pack `tiny` to offer, and httpx with it; what is installed of it is listed here."""
    found: list[str] = []
    terms = Terms(version="1.0", tools=("tiny_ping",)).to_json()
    brought = [{"name": "tiny", "distribution": "sixty-tiny", "version": "1.0", "terms": terms}]
    monkeypatch.setattr(pip, "fetch", lambda *_: [("sixty-tiny", "1.0"), ("httpx", "1.2")])
    monkeypatch.setattr(pip, "survey", lambda _: brought)
    monkeypatch.setattr(pip, "install", lambda named, _: found.extend(name for name, _ in named))
    return found


def test_before_anything_is_installed_it_is_said_what_it_is_and_asked(
    run: Callable[..., Result], offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    result = run("plugins", "install", "sixty-tiny", typed="n\n", **BOTH)
    said = "tiny 1.0 asks for:\n  the tool tiny_ping\nWith it come httpx 1.2.\nInstall? [y/N]: "
    assert (result.exit_code, result.stdout.startswith(said), offered) == (1, True, [])


def test_what_the_settings_leave_out_is_installed_and_does_not_load(
    run: Callable[..., Result], offered: list[str]
) -> None:
    result = run("plugins", "install", "sixty-tiny", "--yes", **BOTH)
    assert "tiny 1.0 is installed. It loads where SIXTY_PLUGINS names it" in result.stdout
    assert offered == ["sixty-tiny", "httpx"]
    run("plugins", "disable", "tiny", **BOTH)
    assert states(run)["tiny"] == "disabled"


def test_what_is_not_installed_cannot_be_uninstalled(run: Callable[..., Result]) -> None:
    result = run("plugins", "uninstall", "sum", "--yes", **BOTH)
    assert (result.exit_code, "did you mean 'sums'?" in result.stderr) == (1, True)
