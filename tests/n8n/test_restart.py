"""What happens in the CRM while n8n is down is not lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from crm import serving
from running import running, until
from workflows import TRIGGER, chain, with_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from installing import Installed

    from sixty.testing.databases import SqliteTemplates

pytestmark = pytest.mark.n8n


def test_an_event_that_happened_while_n8n_was_down_arrives_once_it_is_back(
    programs: Installed, package: Path, sqlite_templates: SqliteTemplates, tmp_path: Path
) -> None:
    trigger = {"name": "New deal", "type": TRIGGER, "typeVersion": 1, "parameters": {"events": ["deal.created"]}}
    after = {"name": "Nothing more", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "parameters": {}}
    with serving(sqlite_templates.copy(None, tmp_path / "sixty.db"), {}) as crm:
        with running(programs, tmp_path / "n8n", package) as n8n:
            n8n.keep("sixtyCrmApi", "Sixty CRM", {"baseUrl": crm.url, "apiKey": crm.keys["admin"]})
            workflow_id = n8n.add(with_credentials(chain("On new deals", trigger, after), n8n.credentials))
            n8n.activate(workflow_id)
            until(lambda: crm.rows("SELECT id FROM webhooks") or None)
        deal = crm.call("create_deal", title="Made meanwhile", company_name="Acme")["deal_id"]
        until(lambda: crm.rows("SELECT 1 FROM jobs WHERE name = 'core.deliver' AND attempts > 1") or None)
        with running(programs, tmp_path / "n8n", port=urlsplit(n8n.url).port) as n8n:
            (waiting,) = json.loads(crm.run("jobs", "list", "--name", "core.deliver", "--state", "waiting", "--json"))
            crm.run("jobs", "retry", waiting["id"])
            (run,) = until(lambda: n8n.executions(workflow_id) or None)
            (item,) = n8n.ended(run["id"])["data"]["resultData"]["runData"]["New deal"][0]["data"]["main"][0]
        assert item["json"]["type"] == "deal.created"
        assert item["json"]["id"] == f"msg_{waiting['id']}"
        assert item["json"]["data"]["record_id"] == deal
        assert len(crm.rows("SELECT id FROM webhooks")) == 1
