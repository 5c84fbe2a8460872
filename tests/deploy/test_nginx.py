"""The configuration of nginx is one that nginx takes."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from fleet import configured

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.deploy


def test_nginx_takes_it_without_a_warning(tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        reason = "nginx cannot be found: this test asks it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    config = configured(tmp_path, {f"sixty-{number}": 8060 for number in (1, 2, 3)}, 8080, 8443)
    command = ["nginx", "-t", "-e", "stderr", "-c", str(config), "-p", str(tmp_path)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - as it is written here
    said = asked.stderr.splitlines()
    assert (asked.returncode, said[1:]) == (0, [f"nginx: configuration file {config} test is successful"]), said
