"""Prometheus takes its configuration, and each alert fires when it should, and not when it should not."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from alerting import CASES
from written import DEPLOY, ROOT, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.deploy

FOLDER = DEPLOY / "prometheus"
RULES = [rule for group in read(FOLDER / "alerts.yml")["groups"] for rule in group["rules"]]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in RULES}
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")


def run(*command: str, cwd: Path = FOLDER) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - it looks at files
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_its_configuration(program: Callable[[str], str]) -> None:
    run(program("promtool"), "check", "config", "--syntax-only", "prometheus.yml")
    run(program("promtool"), "check", "rules", "alerts.yml")
    run(program("prometheus-blackbox-exporter"), "--config.check", "--config.file=blackbox.yml")


def test_every_target_is_a_service_of_compose() -> None:
    services = read(DEPLOY / "compose" / "compose.yaml")["services"]
    for job in read(FOLDER / "prometheus.yml")["scrape_configs"]:
        if job["job_name"] in ("sixty", "node", "redis"):
            for target in job["static_configs"][0]["targets"]:
                name = target.partition(":")[0]
                assert "watch" in services[name]["networks"], f"prometheus does not reach {name}"


def test_each_alert_fires_when_it_should_and_not_when_it_should_not(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    tests = [
        {
            "name": f"{case.alert} {case.since}",
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count by (alertname) (ALERTS{{alertname="{case.alert}", alertstate="firing"}}) > bool 0',
                    "eval_time": f"{case.after}m",
                    "exp_samples": [{"labels": f'{{alertname="{case.alert}"}}', "value": 1}] if case.fires else [],
                }
            ],
        }
        for case in CASES
    ]
    (tmp_path / "alerts.yml").write_text((FOLDER / "alerts.yml").read_text())
    (tmp_path / "tests.yml").write_text(
        json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    run(program("promtool"), "test", "rules", "tests.yml", cwd=tmp_path)


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_tried_both_ways(name: str) -> None:
    assert {case.fires for case in CASES if case.alert == name} == {True, False}


@pytest.mark.parametrize("name", ALERTS)
def test_whoever_is_alerted_is_told_what_it_is_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "docs/operate.md"
    assert anchor == name.lower()
    section = re.search(rf"^### {name}\n+(.*?)(?=^##)", f"{OPERATE}\n##", re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/operate.md does not say what to do about {name}"
    for question in ("**Means**", "**Look**", "**Do**"):
        assert question in section[1]


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    runbook = OPERATE.partition("\n## Alerts and runbook\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE)) == ALERTS.keys()


def test_the_operator_of_prometheus_takes_the_alerts_as_the_page_says(tmp_path: Path) -> None:
    [script] = re.findall(r"^\{ printf .*alerts\.yml; \}", OPERATE, re.MULTILINE)
    said = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 - of the page
    made = yaml.safe_load(said)
    assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert made["spec"] == read(FOLDER / "alerts.yml")
