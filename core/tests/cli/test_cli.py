"""The other commands, and what holds for all of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty import lifecycle
from sixty.cli import COMMANDS
from sixty.cli.output import show
from sixty.hookspecs import hookimpl
from sixty.ids import new_id
from sixty.kinds import Tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from sixty.host import Host


@pytest.fixture
def ada(run: Callable[..., Result]) -> str:
    run("user", "add", "ada@example.com", "--role", "admin")
    return "ada@example.com"


# every command


@pytest.mark.parametrize("command", [name for name, path in COMMANDS.items() if find_spec(path.partition(":")[0])])
def test_each_command_says_what_it_is_for(run: Callable[..., Result], command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"sixty {command}" in result.stdout
    assert f"\n  {command} " in run("--help").stdout


def test_the_version_is_shown(run: Callable[..., Result]) -> None:
    assert run("--version").stdout.startswith("sixty, version ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SIXTY_TIMEZONE": "Mars"}, "SIXTY_TIMEZONE"),
        ({"SIXTY_TIME_ZONE": "UTC"}, "did you mean 'SIXTY_TIMEZONE'"),
        ({"SIXTY_PLUGINS": "nothing_like_it"}, "not installed"),
        ({"SIXTY_DATABASE_URL": "sqlite+aiosqlite:////no/such/folder/sixty.db"}, "/no/such/folder"),
        ({"SIXTY_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none"}, "not available"),
        ({"SIXTY_CONFIG": "/no/such/file.toml"}, "/no/such/file.toml"),
    ],
)
def test_a_bad_setting_is_named_and_exits_with_1(run: Callable[..., Result], given: dict[str, str], said: str) -> None:
    result = run("user", "list", **given)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output


# serve


def serving(monkeypatch: pytest.MonkeyPatch, transport: str) -> list[tuple[Any, ...]]:
    """With what the server was started, in place of a server."""
    started: list[tuple[Any, ...]] = []

    async def serve(host: Host, *address: Any, anonymous_as: str | None = None) -> None:
        started.append((type(asyncio.get_running_loop()).__module__.partition(".")[0], *address, anonymous_as))
        assert "search_crm" in host.registry.tools

    module = ModuleType(f"sixty.server.{transport}")
    monkeypatch.setattr(module, f"serve_{transport}", serve, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return started


def test_stdio_is_served_by_default(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    started = serving(monkeypatch, "stdio")
    assert run("serve").output == ""
    assert started == [("asyncio", None)]


def test_http_is_served_on_the_address_given(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    started = serving(monkeypatch, "http")
    run("serve", "--transport", "http", "--host", "0.0.0.0", "--port", "80")  # noqa: S104 - nothing is bound
    assert started == [("uvloop", "0.0.0.0", 80, None)]  # noqa: S104 - as above


def test_without_uvloop_http_is_served_all_the_same(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = serving(monkeypatch, "http")
    monkeypatch.setitem(sys.modules, "uvloop", None)
    run("serve", "--transport", "http")
    assert started == [("asyncio", "127.0.0.1", 8060, None)]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_server_on_loopback_may_serve_everyone_as_one_user(
    run: Callable[..., Result], ada: str, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    started = serving(monkeypatch, "http")
    run("serve", "--transport", "http", "--host", address, "--anonymous-as", "Ada@Example.com")
    assert started == [("uvloop", address, 8060, ada)]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "sixty.example"])  # noqa: S104 - it is refused
def test_nobody_is_served_anonymously_from_elsewhere(
    run: Callable[..., Result], ada: str, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    started = serving(monkeypatch, "http")
    result = run("serve", "--transport", "http", "--host", address, "--anonymous-as", ada)
    assert (result.exit_code, started) == (2, [])
    assert "loopback only" in result.stderr


def test_everyone_cannot_be_a_user_who_does_not_exist_or_is_disabled(
    run: Callable[..., Result], ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = serving(monkeypatch, "http")
    assert "no user" in run("serve", "--transport", "http", "--anonymous-as", "nobody@example.com").stderr
    run("user", "disable", ada)
    assert "disabled" in run("serve", "--transport", "http", "--anonymous-as", ada).stderr
    assert started == []


def test_over_stdio_nobody_is_anonymous(run: Callable[..., Result], ada: str) -> None:
    assert run("serve", "--anonymous-as", ada).exit_code == 2


def test_serving_over_stdio_imports_no_other_command_and_nothing_heavy(tmp_path: Path) -> None:
    script = """
import sys
from types import ModuleType

async def serve_stdio(host):
    print(*sys.modules)

sys.modules["sixty.server.stdio"] = ModuleType("sixty.server.stdio")
sys.modules["sixty.server.stdio"].serve_stdio = serve_stdio
from sixty.cli import main
sys.argv = ["sixty", "serve", "--transport", "stdio"]
main()
"""
    environ = {"SIXTY_PLUGINS": "", "SIXTY_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/sixty.db"}
    command = [sys.executable, "-c", script]
    for _ in range(2):  # the first migrates
        served = subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    imported = set(served.stdout.split())
    assert "sixty.cli.serve" in imported
    assert not imported & {"sixty.cli.user", "sixty.cli.output", "rich", "jwt", "limits", "httpx2", "uvloop", "alembic"}


# what is shown


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    key = new_id()
    show([{"name": "[b]Ada[/b]", "about": "words " * 50, "id": key}], as_json=False, empty="")
    assert "──" in (shown := capsys.readouterr().out)
    assert "[b]Ada[/b]" in shown
    assert key in shown


def test_nothing_that_was_written_by_a_caller_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"name": "\x1b]0;owned\x07 Ada\r\nBob \u202e"}], as_json=False, empty="")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].isprintable()


# call, explain, audit


def test_a_call_prints_its_answer_as_json(run: Callable[..., Result], ada: str) -> None:
    result = run("call", "search_crm", '{"query": "acme"}', "--user", ada)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["success"] is True


def test_the_arguments_of_a_call_may_come_from_standard_input(run: Callable[..., Result], ada: str) -> None:
    result = run("call", "search_crm", "-", "--user", ada, typed='{"query": "acme"}')
    assert json.loads(result.stdout)["success"] is True


def test_a_refused_call_prints_why_and_exits_with_1(run: Callable[..., Result], ada: str) -> None:
    result = run("call", "search_crm", '{"query": 60}', "--user", ada)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "invalid"


def test_an_unknown_tool_is_answered_with_the_nearest(run: Callable[..., Result], ada: str) -> None:
    result = run("call", "serch_crm", "--user", ada)
    assert result.exit_code == 1
    assert "search_crm" in result.stderr


@pytest.mark.parametrize("arguments", ["{", "[]", "60", "[" * 100_000])
def test_arguments_that_are_no_json_object_are_a_usage_error(
    run: Callable[..., Result], ada: str, arguments: str
) -> None:
    assert run("call", "search_crm", "-", "--user", ada, typed=arguments).exit_code == 2


def test_somebody_must_be_calling(run: Callable[..., Result], ada: str) -> None:
    assert "SIXTY_TOKEN" in run("call", "search_crm").stderr
    assert "no user" in run("call", "search_crm", "--user", "nobody@example.com").stderr


def test_calls_are_seen_in_the_audit_trail_the_newest_last(run: Callable[..., Result], ada: str) -> None:
    assert "sixty user add" in run("audit", "tail").stdout
    for query in ("one", "two", "three"):
        run("call", "search_crm", json.dumps({"query": query}), "--user", ada)
    lines = json.loads(run("audit", "tail", "-n", "2", "--json").stdout)
    assert [line["arguments"]["query"] for line in lines] == ["two", "three"]
    assert {(line["user"], line["tool"], line["outcome"], line["transport"]) for line in lines} == {
        (ada, "search_crm", "ok", "cli")
    }
    assert "search_crm" in run("audit", "tail").stdout


def test_what_a_user_may_call_is_explained(run: Callable[..., Result], ada: str) -> None:
    run("user", "add", "grace@example.com")
    result = run("explain", "grace@example.com", "search_crm")
    assert result.exit_code == 0
    assert "grace has the role user" in result.stdout
    explained = json.loads(run("explain", "grace@example.com", "search_crm", "--json").stdout)
    assert explained["allowed"] is True


def test_without_an_administrator_users_are_explained_in_their_own_name(run: Callable[..., Result]) -> None:
    run("user", "add", "grace@example.com")
    assert "grace has the role user" in run("explain", "grace@example.com").stdout


def test_what_cannot_be_explained_exits_with_1(run: Callable[..., Result], ada: str) -> None:
    result = run("explain", ada, "--record", "nonsense")
    assert result.exit_code == 1
    assert "record_id" in result.stderr
    assert json.loads(run("explain", ada, "--record", "nonsense", "--json").stdout)["error"]["code"] == "invalid"
    run("user", "disable", ada)
    assert "disabled" in run("explain", ada).stderr


# plugins, tools, db


def installed(monkeypatch: pytest.MonkeyPatch, name: str, module: str) -> None:
    """As if a distribution with this entry point, and no other, were installed."""
    entry = EntryPoint(name, module, lifecycle.GROUP)
    monkeypatch.setattr(lifecycle, "entry_points", lambda group: [entry] if group == entry.group else [])


def test_a_pack_that_cannot_be_loaded_is_listed_with_the_reason(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "broken", "no_such_module")
    packs = json.loads(run("plugins", "list", "--json", SIXTY_PLUGINS="broken").stdout)
    assert [(pack["name"], pack["state"]) for pack in packs] == [("core", "loaded"), ("broken", "quarantined")]
    assert "no_such_module" in packs[1]["about"]
    shown = run("plugins", "show", "broken", SIXTY_PLUGINS="broken")
    assert (shown.exit_code, "no_such_module" in shown.stdout) == (0, True)


def test_a_migration_that_fails_is_reported_and_exits_with_1(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    migration = 'revision = "0001_broken"\ndown_revision = None\n\ndef upgrade():\n    raise ValueError("no luck")\n'
    (tmp_path / "0001_broken.py").write_text(migration)
    module = ModuleType("broken_pack", "A pack whose tables cannot be made.")
    tables = hookimpl(lambda: Tables(sa.MetaData(), migrations=tmp_path))
    monkeypatch.setattr(module, "sixty_tables", tables, raising=False)
    monkeypatch.setitem(sys.modules, "broken_pack", module)
    installed(monkeypatch, "broken", "broken_pack")
    result = run("db", "upgrade", SIXTY_PLUGINS="broken")
    assert result.exit_code == 1
    assert "broken stays as it was" in result.stderr
    assert "no luck" in result.stderr


def test_packs_and_what_they_bring_are_shown(run: Callable[..., Result]) -> None:
    core, *others = json.loads(run("plugins", "list", "--json").stdout)
    assert {pack["state"] for pack in others} <= {"not allowed"}
    assert (core["name"], core["state"]) == ("core", "loaded")
    assert "search_crm" in run("plugins", "show", "core").stdout
    assert "search_crm" in json.loads(run("plugins", "show", "core", "--json").stdout)["tools"]
    assert "did you mean 'core'" in run("plugins", "show", "cor").stderr


def test_tools_are_listed_for_all_and_for_one(run: Callable[..., Result], ada: str) -> None:
    offered = json.loads(run("tools", "--json").stdout)
    assert {"search_crm", "undo_change"} <= {tool["name"] for tool in offered}
    visible = json.loads(run("tools", "--user", ada, "--json").stdout)
    assert [tool["name"] for tool in visible] == [tool["name"] for tool in offered]


def test_a_database_is_behind_until_it_is_upgraded(run: Callable[..., Result], tmp_path: Path) -> None:
    empty = {"SIXTY_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/empty.db"}
    before = run("db", "status", "--json", **empty)
    assert (before.exit_code, json.loads(before.stdout)[0]["state"]) == (1, "behind")
    assert "core is at" in run("db", "upgrade", **empty).stdout
    assert run("db", "upgrade", **empty).stdout == "Everything was up to date.\n"
    after = run("db", "status", **empty)
    assert (after.exit_code, "up to date" in after.stdout) == (0, True)
