"""The nodes of n8n's own that there are, with their versions: `known_nodes.json`, for tests that have no n8n.

`python tests/n8n/known.py` writes it anew, from the list that the installed n8n ships.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))  # as in conftest.py: `installing` is found by path

from installing import installed

if TYPE_CHECKING:
    from installing import Installed

__all__ = ["KNOWN", "made"]

KNOWN = Path(__file__).parent / "known_nodes.json"
_PACKAGE = "n8n-nodes-base"


def made(programs: Installed) -> str:
    """The file as it must be."""
    listed = programs.app / f"node_modules/{_PACKAGE}/dist/types/nodes.json"
    versions: dict[str, set[float]] = {}
    for node in json.loads(listed.read_text(encoding="utf-8")):
        versions.setdefault(f"{_PACKAGE}.{node['name']}", set()).update(_versions(node))
    lines = (f"  {json.dumps(name)}: {json.dumps(sorted(versions[name]))}" for name in sorted(versions))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _versions(node: dict[str, Any]) -> list[float]:
    version = node["version"]
    return version if isinstance(version, list) else [version]


if __name__ == "__main__":
    KNOWN.write_text(made(installed()), encoding="utf-8")
