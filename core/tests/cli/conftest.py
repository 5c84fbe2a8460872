"""The command line on a database of its own, as typed by an operator."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sixty.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs one command; no pack but the core is loaded, and the only settings are those given to it."""
    for name in os.environ:
        if name.startswith("SIXTY_"):
            monkeypatch.delenv(name)

    def run_one(*arguments: str, typed: str | None = None, **environ: str) -> Result:
        settings = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": ""}
        return CliRunner().invoke(cli, arguments, typed, env={**settings, **environ}, prog_name="sixty")

    return run_one
