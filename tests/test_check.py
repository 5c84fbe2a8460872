"""The packs of this repository keep to the rules that `sixty plugins check` asks of everybody's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from sixty.cli import cli

if TYPE_CHECKING:
    import pytest

CACHE = Path(__file__).parents[1] / ".hypothesis"


def test_deals_keep_to_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)  # its own tests ask there
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(CACHE))
    result = CliRunner().invoke(cli, ["plugins", "check", "deals"], prog_name="sixty")  # by name, since it is installed
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("deals, on SQLite")
    assert result.stdout.endswith(" kept, 0 broken, 0 skipped.\n")
