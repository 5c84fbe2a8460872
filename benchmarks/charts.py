"""What the dashboard asks is asked of a real Prometheus during a load, and drawn: a picture for each row of panels.

Single numbers and heat maps are asked for, too, and not drawn: lines over time say as much.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks import watched
from benchmarks.organisation import sixty
from benchmarks.report import RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import ExitStack

    from matplotlib.axes import Axes

    from benchmarks.replicas import Fleet
    from benchmarks.watched import Query

__all__ = ["Answers", "asked", "draw", "prepared"]

POINTS = 240
"""Of each line, about."""
COLUMNS = 3
WIDTH, HEIGHT = 3.6, 2.1
"""Of each panel, in inches."""
LINES = 10
"""More than these are not told apart."""
DRAWN = ("timeseries", "bargauge")
INK, GRID = "#333333", "#e4e4e4"
UNITS: dict[str, tuple[str, float]] = {
    "s": ("ms", 1000),
    "percentunit": ("%", 100),
    "bytes": ("MiB", 1 / 1024 / 1024),
    "Bps": ("MiB/s", 1 / 1024 / 1024),
    "currencyUSD": ("$ m", 1e-6),
    "reqps": ("1/s", 1),
    "ops": ("1/s", 1),
    "cps": ("1/s", 1),
    "short": ("", 1),
    "none": ("", 1),
}
"""How Grafana's units are written here, and by what values are multiplied for that."""


@dataclass(frozen=True)
class Answers:
    """What came of all that the dashboard asks."""

    found: Sequence[tuple[Query, list[dict[str, Any]]]]
    """Each query, and its series."""
    names: dict[str, str]
    """What targets are called, by their addresses."""

    @property
    def missing(self) -> list[str]:
        """The queries that there is no data for."""
        return [f"no data for {query.panel}: {query.expression}" for query, series in self.found if not series]


def prepared(stack: ExitStack) -> dict[str, str]:
    """The settings with which a server tells of all that the dashboard asks for."""
    return {"SIXTY_BACKUP_TO": stack.enter_context(TemporaryDirectory(dir=RESULTS))}


@contextmanager
def asked(servers: Fleet, stack: ExitStack) -> Iterator[Callable[[], Answers]]:
    """A Prometheus watches the fleet, its machine and its Redis. What is given asks it all that the dashboard asks."""
    if absent := watched.missing():
        raise SystemExit(f"{', '.join(absent)} is missing: leave --charts out, or install it")
    assert servers.redis is not None
    sixty(servers.organisation.settings, "backup", "--no-verify")  # it is asked when the last one was made
    targets = {
        "sixty": [f"127.0.0.1:{server.port}" for server in servers.servers],
        "node": [stack.enter_context(watched.node_exporter())],
        "redis": [stack.enter_context(watched.redis_exporter(servers.redis))],
    }
    folder = Path(stack.enter_context(TemporaryDirectory(dir=RESULTS)))
    with watched.prometheus(folder, targets) as server:
        began = time.time()

        def answers() -> Answers:
            ends = time.time()
            step = max(1.0, (ends - began) / POINTS)
            found = [(query, server.during(query.expression, began, ends, step)) for query in watched.queries()]
            replicas = {address: f"replica {number}" for number, address in enumerate(targets["sixty"], 1)}
            return Answers(found, {**replicas, targets["node"][0]: "this machine", targets["redis"][0]: "Redis"})

        yield answers


def draw(answers: Answers, folder: Path) -> list[Path]:
    """A picture of each row of the dashboard is in the folder."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    row_of = rows()
    of_panels: dict[str, dict[str, list[tuple[str, dict[str, Any]]]]] = {}
    units = {}
    for query, series in answers.found:
        if series and query.panel in row_of:
            lines = of_panels.setdefault(row_of[query.panel], {}).setdefault(query.panel, [])
            lines += [(named(query.legend, each["metric"], answers.names), each) for each in series]
            units[query.panel] = query.unit
    pictures = []
    for row, panels in of_panels.items():
        down = -(-len(panels) // COLUMNS)
        figure = Figure(figsize=(COLUMNS * WIDTH, down * HEIGHT + 0.4), layout="constrained", facecolor="white")
        figure.suptitle(row, x=0.01, ha="left", fontsize=11, color=INK)
        for place, axes in enumerate(figure.subplots(down, COLUMNS, squeeze=False).flat):
            if place < len(panels):
                panel = list(panels)[place]
                plot(axes, panel, panels[panel], units[panel])
            else:
                axes.set_axis_off()
        pictures.append(folder / f"{row.lower().replace(' ', '-')}.png")
        figure.savefig(pictures[-1], dpi=90, pil_kwargs={"optimize": True})
    return pictures


def rows() -> dict[str, str]:
    """By panel that is drawn, the row of the dashboard in which it stands."""
    found, row = {}, ""
    for panel in json.loads(watched.DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        elif panel["type"] in DRAWN:
            found[panel["title"]] = row
    return found


def plot(axes: Axes, panel: str, lines: Sequence[tuple[str, dict[str, Any]]], unit: str) -> None:
    """The panel is drawn there, over minutes since the beginning."""
    shown, factor = UNITS.get(unit, (unit, 1.0))
    axes.set_title(panel, fontsize=8, loc="left", color=INK)
    began = min(each["values"][0][0] for _, each in lines)
    for name, each in lines[:LINES]:
        moments = [(moment - began) / 60 for moment, _ in each["values"]]
        values = [float(value) * factor for _, value in each["values"]]
        axes.plot(moments, values, linewidth=0.9, label=name)
    axes.set_ylabel(shown, fontsize=7, color=INK)
    axes.set_xlabel("minutes", fontsize=7, color=INK)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.tick_params(labelsize=6, colors=INK, length=2)
    axes.grid(visible=True, color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(lines) > 1:
        axes.legend(fontsize=5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=3)


def named(legend: str, metric: dict[str, str], names: dict[str, str]) -> str:
    """What a line is called: the legend, with the labels of its series."""
    for label, value in metric.items():
        legend = legend.replace(f"{{{{{label}}}}}", names.get(value, value))
    return re.sub(r"\{\{.*?\}\}", "none", legend)  # a label that this series has not
