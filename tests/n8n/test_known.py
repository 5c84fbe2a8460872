"""What other tests know of n8n's nodes is what the real n8n has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from known import KNOWN, made

if TYPE_CHECKING:
    from installing import Installed
    from running import N8n

pytestmark = pytest.mark.n8n


def test_the_list_of_nodes_is_that_of_the_installed_n8n(programs: Installed) -> None:
    assert KNOWN.read_text(encoding="utf-8") == made(programs), "tests/n8n/known.py writes it anew"


def test_n8n_offers_the_community_node_under_the_names_that_templates_use(n8n: N8n) -> None:
    listed = n8n.owner.get(f"{n8n.url}/types/nodes.json").json()
    ours = {node["name"] for node in listed if node["name"].startswith("n8n-nodes-sixty-crm.")}
    assert ours == {
        "n8n-nodes-sixty-crm.sixtyCrm",
        "n8n-nodes-sixty-crm.sixtyCrmTool",
        "n8n-nodes-sixty-crm.sixtyCrmTrigger",
    }
