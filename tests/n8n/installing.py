"""n8n and the Node that it needs, installed once into a folder outside of the repository: some 3 GB, in six minutes.

The folder is `~/.cache/sixty-n8n`, or what `N8N_CACHE` names. It is filled from the npm registry, and needs a C++
compiler, make, Python and the headers of Node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Installed", "installed"]

NODE = "24.21.0"
N8N = "2.41.1"
_OVERRIDES = {"linkedom": "0.18.12"}
"""Newer ones want what the registry does not have."""
_PATIENCE = 1800
"""Seconds that one step may take."""


@dataclass(frozen=True)
class Installed:
    """Where the programs are."""

    folder: Path

    @property
    def node(self) -> Path:
        """The folder of `node` and `npm`."""
        return self.folder / "node24/node_modules/node/bin"

    @property
    def app(self) -> Path:
        """The folder whose `node_modules` has n8n."""
        return self.folder / "n8napp"

    @property
    def command(self) -> list[str]:
        """What starts n8n's command line."""
        return [str(self.node / "node"), str(self.app / "node_modules/n8n/bin/n8n")]

    @property
    def environ(self) -> dict[str, str]:
        """The environment that finds this Node first."""
        path = f"{self.node}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}

    def run(self, *command: str, cwd: Path, **environ: str) -> str:
        """What a command prints. `AssertionError` with its complaint if it fails."""
        ran = subprocess.run(  # noqa: S603 - node, npm and n8n
            command,
            cwd=cwd,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        assert ran.returncode == 0, f"{' '.join(command)} failed: {ran.stderr[-2000:]}"
        return ran.stdout


def installed() -> Installed:
    """What is in the cache, and is put there first if it is not."""
    found = Installed(Path(os.environ.get("N8N_CACHE") or Path.home() / ".cache/sixty-n8n"))
    if not _is_there(found.node.parent, NODE):
        _install(found, found.folder / "node24", {"node": NODE}, scripts=True)
    if not _is_there(found.app / "node_modules/n8n", N8N) or not _native(found):
        _install(found, found.app, {"n8n": N8N}, scripts=False)
        found.run("npm", "rebuild", "sqlite3", cwd=found.app, **_headers())
    return found


def _install(found: Installed, folder: Path, packages: dict[str, str], *, scripts: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    package = {
        "name": folder.name,
        "private": True,
        "version": "1.0.0",
        "overrides": _OVERRIDES,
        "dependencies": packages,
    }
    (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
    quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    found.run("npm", "install", *quietly, *(() if scripts else ("--ignore-scripts",)), cwd=folder)


def _is_there(package: Path, version: str) -> bool:
    try:
        return bool(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"] == version)
    except FileNotFoundError:
        return False


def _native(found: Installed) -> bool:
    """Whether the one module that has to be compiled has been."""
    return next(found.app.glob("node_modules/sqlite3/build/Release/*.node"), None) is not None


def _headers() -> dict[str, str]:
    """Says to npm where the headers of Node are, if they are installed; else it fetches them."""
    node = shutil.which("node")
    prefix = Path(node).resolve().parents[1] if node is not None else Path("/usr")
    return {"npm_config_nodedir": str(prefix)} if (prefix / "include/node").is_dir() else {}
