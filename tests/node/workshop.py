"""The community node for n8n, built outside of the repository, where what npm installs is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SOURCE", "Workshop", "workshop"]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "plugins" / "n8n" / "node"
OLDEST = 22
"""The Node that `@n8n/node-cli` needs at the least."""
_PATIENCE = 300
_MADE = ("node_modules", "dist", "*.tgz")


@dataclass(frozen=True)
class Workshop:
    """A copy of the sources beside what they need."""

    folder: Path
    path: str
    """The `PATH` on which a fitting Node comes first."""

    def run(self, *command: str) -> str:
        """What a command prints. `AssertionError` with all of it if the command fails."""
        env = {**os.environ, "PATH": self.path, "NO_COLOR": "1", "npm_config_loglevel": "error"}
        ran = subprocess.run(  # noqa: S603 - npm
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
        assert ran.returncode == 0, f"{' '.join(command)} failed:\n{ran.stdout[-6000:]}\n{ran.stderr[-2000:]}"
        return ran.stdout


def workshop(install: Callable[..., Path]) -> Workshop:
    """A workshop with the sources as they are now. `install` is the fixture."""
    # no dependency of a tool needs to be compiled for what is done here
    folder = install(SOURCE / "package.json", "--ignore-scripts")
    for left in ("credentials", "dist", "icons", "nodes", "tests"):  # of sources that are gone
        shutil.rmtree(folder / left, ignore_errors=True)
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(*_MADE), dirs_exist_ok=True)
    return Workshop(folder, f"{_node(install)}{os.pathsep}{os.environ['PATH']}")


def _node(install: Callable[..., Path]) -> Path:
    """The folder of a Node that is new enough."""
    found = shutil.which("node")
    if found is not None:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - node
        if int(version.removeprefix("v").partition(".")[0]) >= OLDEST:
            return Path(found).parent
    return install(Path(__file__).with_name("package.json")) / "node_modules" / "node" / "bin"
