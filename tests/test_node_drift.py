"""What the community node for n8n knows of the server is what the server says of itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

NODE = Path(__file__).parents[1] / "plugins" / "n8n" / "node"


def check(node: Path) -> tuple[int, str]:
    command = [sys.executable, str(node / "generate.py"), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own script
    return ran.returncode, ran.stderr


def test_the_operations_and_events_of_the_node_are_those_of_the_server() -> None:
    assert check(NODE) == (0, "")


def test_an_operation_that_is_not_what_the_server_says_is_named(tmp_path: Path) -> None:
    node = shutil.copytree(NODE, tmp_path / "node", ignore=shutil.ignore_patterns("node_modules", "dist"))
    operations = node / "nodes" / "SixtyCrm" / "operations.generated.ts"
    known = operations.read_text(encoding="utf-8")
    operations.write_text(known.replace('"maxLength": 255', '"maxLength": 200', 1), encoding="utf-8")

    status, complaint = check(node)
    assert status == 1
    assert str(operations) in complaint
    assert "generate.py" in complaint
