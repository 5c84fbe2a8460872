"""What is watched while it runs: a Prometheus of one's own, the exporters of Debian, and what the dashboard asks.

It reads the dashboard that ships, and knows no query of its own.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

from benchmarks.processes import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["DASHBOARD", "Prometheus", "Query", "missing", "node_exporter", "prometheus", "queries", "redis_exporter"]

DASHBOARD = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards" / "sixty.json"
PATIENCE = 30
"""Seconds that Prometheus may take to start, or to answer."""
SCRAPE = 1
"""Seconds between two looks at the targets."""
WINDOW = "10s"
"""What rates are taken over, where Grafana would choose it by the scrape interval."""

_PROGRAMS = ("prometheus", "prometheus-node-exporter", "prometheus-redis-exporter")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass(frozen=True, slots=True)
class Query:
    """One query of the dashboard, its variables filled in as "All" does."""

    panel: str
    legend: str
    unit: str
    expression: str


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus that answers."""

    url: str

    def wait(self) -> None:
        """It answers queries, which takes a moment longer than it takes to listen."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(OSError), urlopen(f"{self.url}/-/ready", timeout=PATIENCE):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Prometheus is not ready after {PATIENCE} seconds")

    def now(self, expression: str) -> list[dict[str, Any]]:
        """What an expression comes to now: series, each with its `metric` and `value`."""
        return self._ask("query", query=expression)

    def during(self, expression: str, start: float, end: float, step: float = SCRAPE) -> list[dict[str, Any]]:
        """What an expression came to in that time: series, each with its `metric` and `values`."""
        return self._ask("query_range", query=expression, start=start, end=end, step=step)

    def unanswered(self, asked: Sequence[Query], patience: float = 0) -> list[Query]:
        """The queries that have no data, after that many seconds of waiting for it at the most."""
        until = time.monotonic() + patience
        while (left := [query for query in asked if not self.now(query.expression)]) and time.monotonic() < until:
            time.sleep(SCRAPE / 2)
            asked = left
        return left

    def _ask(self, what: str, **parameters: Any) -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/api/v1/{what}", urlencode(parameters).encode(), timeout=PATIENCE) as response:
            answer: list[dict[str, Any]] = json.load(response)["data"]["result"]
        return answer


def missing() -> list[str]:
    """The programs that are needed here and are not on this machine, by their names in Debian."""
    return [program for program in _PROGRAMS if shutil.which(program) is None]


def queries(dashboard: Path = DASHBOARD) -> list[Query]:
    """Every query of every panel of a dashboard. A variable that it does not declare is a `KeyError`."""
    content = json.loads(dashboard.read_text(encoding="utf-8"))
    filled = {item["name"]: item.get("allValue", "") for item in content["templating"]["list"]}
    filled |= {"__rate_interval": WINDOW, "__range": WINDOW}
    return [
        Query(
            panel["title"],
            target["legendFormat"],
            panel["fieldConfig"]["defaults"]["unit"],
            _VARIABLE.sub(lambda match: filled[match[1]], target["expr"]),
        )
        for panel in content["panels"]
        for target in panel.get("targets", [])
    ]


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, Sequence[str]], *, tokens: Mapping[str, str] | None = None
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these targets, `HOST:PORT` by job, every second until the end of the block.

    What it keeps is in `folder`. `tokens` are the bearer tokens that jobs want.
    """
    config = folder / "prometheus.json"  # which is YAML too
    scraped = [
        {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
        | ({"authorization": {"credentials": tokens[job]}} if tokens and job in tokens else {})
        for job, addresses in targets.items()
    ]
    interval = {"scrape_interval": f"{SCRAPE}s", "scrape_timeout": f"{SCRAPE}s"}
    config.write_text(json.dumps({"global": interval, "scrape_configs": scraped}), encoding="utf-8")
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with running(command, port):
        server = Prometheus(f"http://127.0.0.1:{port}")
        server.wait()
        yield server


@contextmanager
def node_exporter() -> Iterator[str]:
    """The address where this machine tells of itself."""
    quietly = ("--no-collector.systemd", "--log.level=error")  # which is not asked where there is none
    with _listening(["prometheus-node-exporter", *quietly], "--web.listen-address") as address:
        yield address


@contextmanager
def redis_exporter(url: str) -> Iterator[str]:
    """The address where the Redis at `url` is told of."""
    with _listening(["prometheus-redis-exporter", f"-redis.addr={url}"], "-web.listen-address") as address:
        yield address


@contextmanager
def _listening(command: Sequence[str], option: str) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    with running([*command, f"{option}={address}"], int(address.rpartition(":")[2])):
        yield address
