"""The metrics of every pack together, as Prometheus's own checker reads them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import httpx2
import pytest

from sixty.server.http import listening

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.databases import SqliteTemplates

pytestmark = pytest.mark.deploy


@pytest.fixture
def plugins() -> None:
    """All that are installed."""


@pytest.fixture
def database_url(sqlite_templates: SqliteTemplates, tmp_path: object) -> str:
    # what is shown is the same on both databases
    return sqlite_templates.copy(None, tmp_path / "sixty.db")  # type: ignore[operator]


@pytest.fixture
def promtool() -> str:
    """The checker. On a machine without it the test is skipped, unless CI is true."""
    command = shutil.which("promtool")
    if command is None:
        reason = "promtool is missing: install Prometheus to check what it will read"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return command


async def test_prometheus_finds_nothing_wrong_with_what_is_shown(sixty: Organisation, promtool: str) -> None:
    async with listening(sixty.host) as url, httpx2.AsyncClient() as http:
        await sixty.as_role("user").call("create_deal", title="Licence", company_name="Acme", value=500)
        await sixty.as_role("user").outcome("create_deal", title="")
        text = (await http.get(f"{url}/metrics")).text
    assert 'crm_open_pipeline_dollars{stage="sql"} 500.0' in text
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)  # noqa: S603, ASYNC221 - the checker, and nobody waits
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
