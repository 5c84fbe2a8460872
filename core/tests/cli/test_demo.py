"""`sixty demo` where it cannot do what it is for; the tour itself needs deals, and is tested with them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sixty import lifecycle
from sixty.cli import cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_port_in_use_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["demo", "--port", str(port)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"port {port} of 127.0.0.1 is in use" in result.stderr
    assert "--port" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_not_this_machines_is_refused() -> None:
    result = CliRunner().invoke(cli, ["demo", "--host", "192.0.2.1", "--port", "0"])
    assert result.exit_code == 1
    assert "cannot listen on 192.0.2.1:0" in result.stderr
    assert "--host" in result.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".sixty-demo").touch()
    result = CliRunner().invoke(cli, ["demo", "--port", "0"])
    assert result.exit_code == 1
    assert ".sixty-demo" in result.stderr
    assert "Traceback" not in result.output


def test_without_deals_the_tour_ends_with_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "scan", dict)
    result = CliRunner().invoke(cli, ["demo", "--tour", "--port", "0"])
    assert result.exit_code == 1
    assert "✗ expected: deals can be created" in result.stdout
    assert "3 teams, 9 users, 40 companies: 0 calls" in result.stdout
    assert list(tmp_path.iterdir()) == []
