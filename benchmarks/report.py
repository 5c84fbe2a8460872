"""What was measured, as a table to read, a list of targets to be held to, and JSON to compare with the next run."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.closedloop import Outcome

__all__ = [
    "FASTMCP",
    "MCPSERVER",
    "RESULTS",
    "Figure",
    "Growth",
    "Report",
    "Target",
    "circumstances",
    "columns",
    "held",
    "middle",
]

RESULTS = Path(__file__).parent / "results"
MCPSERVER, FASTMCP = "MCPServer echo", "FastMCP echo"  # what the others are compared with
VERSIONS = ("mcp", "fastmcp", "starlette", "uvicorn", "sixty-core", "sixty-deals")


Growth = dict[int, tuple[float, float, float]]
"""By size: the median and the 95th percentile in milliseconds, and that of what another client asked meanwhile."""


@dataclass(frozen=True)
class Figure:
    """The middle of a subject's rounds: requests a second, latencies in milliseconds; and all errors of all rounds."""

    name: str
    rate: float
    lowest: float
    highest: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Target:
    """What a figure must reach, and what it aims at: both lower bounds, or both upper bounds."""

    name: str
    value: float
    must: float
    aim: float
    upper: bool = False

    @property
    def verdict(self) -> str:
        """How far the figure got."""
        sign = -1 if self.upper else 1
        if sign * self.value >= sign * self.aim:
            return "as aimed"
        return "reached" if sign * self.value >= sign * self.must else "MISSED"


@dataclass(frozen=True)
class Report:
    """One run of the benchmark. `starts` are seconds to the first `tools/list` answer over stdio, by subject."""

    http: Sequence[Figure]
    starts: dict[str, float]
    targets: Sequence[Target]
    failures: Sequence[str] = ()
    peers: Sequence[str] = ()
    """Whom of those measured over HTTP the others are compared with."""
    connections: int = 8
    """How many send requests over HTTP at a time."""
    growths: Mapping[str, Growth] = field(default_factory=dict)
    """How long each question took as there was more and more."""

    @classmethod
    def joined(cls, reports: Sequence[Report]) -> Report:
        """One report of what was measured alike in several places."""
        return replace(
            reports[0],
            http=[figure for each in reports for figure in each.http],
            targets=[target for each in reports for target in each.targets],
            failures=[failure for each in reports for failure in each.failures],
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, with when and where it was measured."""
        return {
            **circumstances(),
            **asdict(self),
            "targets": [{**asdict(target), "verdict": target.verdict} for target in self.targets],
        }

    def show(self) -> None:
        """Print it as tables that also are Markdown."""
        console = Console(width=140, highlight=False)
        for table in self._rates(), self._starts(), self._growths(), held(self.targets):
            if table.row_count:
                console.print(table)
                console.print()

    def _rates(self) -> Table:
        rates = {each.name: each.rate for each in self.http}
        table = columns(
            f"over HTTP, {self.connections} connections",
            "requests/s",
            "(range)",
            "p50 ms",
            "p99 ms",
            "errors",
            *self.peers,
        )
        for each in self.http:
            ratios = (f"{each.rate / rates[peer]:.2f} x" if rates[peer] else "-" for peer in self.peers)
            spread = f"{each.lowest:,.0f}-{each.highest:,.0f}"
            row = (f"{each.rate:,.0f}", spread, f"{each.p50:.2f}", f"{each.p99:.2f}", str(each.errors), *ratios)
            table.add_row(each.name, *row)
        return table

    def _starts(self) -> Table:
        table = columns("over stdio", "start to first tools/list, ms", MCPSERVER)
        for name, seconds in self.starts.items():
            table.add_row(name, f"{seconds * 1000:.0f}", f"{seconds / self.starts[MCPSERVER]:.2f} x")
        return table

    def _growths(self) -> Table:
        sizes = sorted({size for growth in self.growths.values() for size in growth})
        table = columns("p50 / p95 ms, and p95 of another client", *(f"{size:,}" for size in sizes))
        for name, growth in self.growths.items():
            table.add_row(name, *("{:.1f} / {:.1f}, {:.1f}".format(*growth[size]) for size in sizes))
        return table


def middle(name: str, rounds: Sequence[Outcome]) -> Figure:
    """The middle of these rounds."""
    rates = [each.rate for each in rounds]
    return Figure(
        name,
        rate=median(rates),
        lowest=min(rates),
        highest=max(rates),
        p50=median(each.p50 for each in rounds),
        p99=median(each.p99 for each in rounds),
        errors=sum(each.errors for each in rounds),
    )


def held(targets: Sequence[Target]) -> Table:
    """What was to be reached, and how far each figure got."""
    table = columns("target", "measured", "must", "aim", "")
    for target in targets:
        bound = "<=" if target.upper else ">="
        must, aim = f"{bound} {target.must:g}", f"{bound} {target.aim:g}"
        table.add_row(target.name, f"{target.value:.4g}", must, aim, target.verdict)
    return table


def circumstances() -> dict[str, Any]:
    """When and where something is measured."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"system": platform.platform(), "python": platform.python_version(), "cores": cpu_count()},
        "versions": {name: installed(name) for name in VERSIONS},
    }


def columns(first: str, *numbers: str) -> Table:
    """An empty table: names on the left, numbers to the right."""
    table = Table(box=box.MARKDOWN)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def installed(name: str) -> str | None:
    """The version of a distribution, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
