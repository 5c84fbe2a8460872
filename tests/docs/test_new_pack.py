"""A pack made by `sixty plugins new` is as tidy as those of this repository, by the same settings."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from pages import ROOT

from sixty.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docs


@pytest.mark.parametrize("name", ["visits", "site_inspections"])
def test_a_new_pack_is_tidy_and_its_types_hold(name: str, tmp_path: Path) -> None:
    made = CliRunner().invoke(cli, ["plugins", "new", name, "--into", str(tmp_path)], env={"SIXTY_PLUGINS": ""})
    assert made.exit_code == 0, made.output
    for command in (
        ("ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml"),
        ("ruff", "format", "--check", "--no-cache", "--config", ROOT / "pyproject.toml"),
        ("mypy", "--strict", "--cache-dir", ROOT / ".mypy_cache", "--exclude", "migrations", "src"),
    ):
        ran = subprocess.run(  # noqa: S603 - our own tools, on a pack of our own
            [sys.executable, "-m", *command],
            cwd=next(tmp_path.iterdir()),
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
