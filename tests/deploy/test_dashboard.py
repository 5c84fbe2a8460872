"""Each panel shows something: what it asks is asked of a real Prometheus, which watches a real Sixty."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from deployed import METRICS_TOKEN, sixty
from things import Redis, wait_until
from written import DEPLOY, read

from benchmarks.watched import DASHBOARD, Prometheus, node_exporter, prometheus, queries, redis_exporter
from benchmarks.wire import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployed import Served

pytestmark = pytest.mark.deploy

CONTENT = json.loads(DASHBOARD.read_text())
PANELS = [panel for panel in CONTENT["panels"] if panel["type"] != "row"]
KINDS = {"bargauge", "heatmap", "stat", "timeseries"}


def test_no_panel_lies_on_another_or_is_called_like_one() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in CONTENT["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    for unique in ("id", "title"):
        values = [panel[unique] for panel in CONTENT["panels"]]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_each_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, object]) -> None:
    assert panel["type"] in KINDS
    assert str(panel["description"]).endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]  # type: ignore[index]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]


def test_the_rows_are_those_that_an_operator_looks_for() -> None:
    rows = [panel["title"] for panel in CONTENT["panels"] if panel["type"] == "row"]
    assert rows == ["Service", "Business", "Kernel", "Machines", "Redis"]


def test_grafana_finds_the_dashboard_and_its_source() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    [source] = read(provisioning / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    [provider] = read(provisioning / "dashboards" / "sixty.yml")["providers"]
    mounted = read(DEPLOY / "compose" / "compose.yaml")["services"]["grafana"]["volumes"]
    assert f"../grafana/dashboards:{provider['options']['path']}:ro" in mounted


def test_each_variable_is_used_and_declared() -> None:
    used = set(re.findall(r"\$\{?([a-z]\w*)", DASHBOARD.read_text()))
    assert used == {item["name"] for item in CONTENT["templating"]["list"]}


@pytest.fixture(scope="module")
def watching(
    program: Callable[[str], str], served: Served, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus that watches a Sixty in which something happens."""
    for name in ("prometheus", "prometheus-node-exporter", "prometheus-redis-exporter"):
        program(name)
    sixty("backup", "--no-verify", env=served.env)
    folder = tmp_path_factory.mktemp("prometheus")
    with node_exporter() as node, redis_exporter(redis.url) as of_redis:
        targets = {"sixty": [f"127.0.0.1:{served.port}"], "node": [node], "redis": [of_redis]}
        with prometheus(folder, targets, tokens={"sixty": METRICS_TOKEN}) as server:
            wait_until(lambda: bool(server.now("mcp_active_connections")), "Sixty is not scraped")
            for number in range(3):  # what has happened before the first look is no rate
                deal = {"title": f"Deal {number}", "company_name": "Acme", "value": 50_000}
                ask(served.port, served.key, "tools/call", name="create_deal", arguments=deal)
            ask(served.port, served.key, "tools/call", name="create_deal", arguments={"title": ""})
            yield server


def test_every_panel_shows_something(watching: Prometheus) -> None:
    asked = queries()
    assert len(asked) >= len(PANELS)
    assert watching.unanswered(asked, patience=30) == []


def test_the_figures_are_those_of_what_happened(watching: Prometheus) -> None:
    def value(expression: str) -> float:
        return float(watching.now(expression)[0]["value"][1])

    assert value('mcp_tool_calls_total{tool_name="create_deal", status="success"}') == 3
    assert value('mcp_errors_total{tool_name="create_deal", error_type="invalid"}') == 1
    assert value("crm_deals_created_total") == 3
    wait_until(lambda: value('crm_open_pipeline_dollars{stage="sql"}') == 150_000, "the pipeline is not told")


def test_variables_list_what_there_is_to_choose(watching: Prometheus) -> None:
    for item in CONTENT["templating"]["list"]:
        if item["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", item["query"]["query"]).groups()  # type: ignore[union-attr]
            assert {series["metric"][label] for series in watching.now(selector)}
