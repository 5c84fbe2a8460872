"""What several folders of tests share: `things`, `desk`, and programs from npm for what is written for Node."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))  # for `desk` and `things`: tests themselves are collected by path


@pytest.fixture(scope="session")
def install() -> Callable[..., Path]:
    """Installs the dependencies of a `package.json`, with options of npm's, and gives the folder in which they are.

    It lies among tox's environments: nothing of it is kept in the repository. On a machine without npm the test is
    skipped, unless CI is true.
    """
    return _installed


def _installed(package: Path, *options: str) -> Path:
    command = shutil.which("npm")
    if command is None:
        reason = "npm is missing: install Node.js to run what is written for it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = ROOT / ".tox" / f"npm-{hashlib.sha256(package.read_bytes()).hexdigest()[:12]}"
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(package, folder / "package.json")
        quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
        install = [command, "install", *quietly, *options]
        finished = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603 - npm
        assert finished.returncode == 0, f"npm install failed: {finished.stderr[-2000:]}"
        done.touch()
    return folder


@pytest.fixture(scope="module")
def npm(request: pytest.FixtureRequest, install: Callable[..., Path]) -> Path:
    """The folder in which the dependencies of the `package.json` beside the test are installed."""
    return install(request.path.with_name("package.json"))
