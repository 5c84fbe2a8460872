"""What the dashboard asks is asked of a real Prometheus during a load, and drawn: a picture for each row of panels."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks import watched
from benchmarks.report import RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.axes import Axes

    from benchmarks.replicas import Fleet
    from benchmarks.watched import Query

__all__ = ["Answer", "asked", "draw"]

POINTS = 240
"""Of each line, about."""
COLUMNS = 3
WIDTH, HEIGHT = 3.6, 2.1
"""Of each panel, in inches."""
LINES = 10
"""More than these are not told apart."""
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
Answer = tuple["Query", list[dict[str, Any]]]
"""A query, and the series that came of it."""


@contextmanager
def asked(servers: Fleet, stack: ExitStack) -> Iterator[Callable[[], list[Answer]]]:
    """A Prometheus watches the fleet, its machine and its Redis. What is given asks it all that the dashboard asks."""
    if absent := watched.missing():
        raise SystemExit(f"{', '.join(absent)} is missing: leave --charts out, or install it")
    assert servers.redis is not None
    targets = {
        "sixty": [f"127.0.0.1:{server.port}" for server in servers.servers],
        "node": [stack.enter_context(watched.node_exporter())],
        "redis": [stack.enter_context(watched.redis_exporter(servers.redis))],
    }
    folder = Path(stack.enter_context(TemporaryDirectory(dir=RESULTS)))
    with watched.prometheus(folder, targets) as server:
        began = time.time()

        def answers() -> list[Answer]:
            ends = time.time()
            step = max(1.0, (ends - began) / POINTS)
            return [(query, server.during(query.expression, began, ends, step)) for query in watched.queries()]

        yield answers


def draw(answers: Sequence[Answer], folder: Path) -> list[Path]:
    """A picture of each row of the dashboard is in the folder."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    row_of = rows()
    pictures = []
    for row, of_row in groupby(answers, lambda answer: row_of[answer[0].panel]):
        panels = [(panel, list(group)) for panel, group in groupby(of_row, lambda answer: answer[0].panel)]
        lines = -(-len(panels) // COLUMNS)
        figure = Figure(figsize=(COLUMNS * WIDTH, lines * HEIGHT + 0.4), layout="constrained", facecolor="white")
        figure.suptitle(row, x=0.01, ha="left", fontsize=11, color=INK)
        places = figure.subplots(lines, COLUMNS, squeeze=False).flat
        for place, (panel, group) in zip(places, panels, strict=False):
            plot(place, panel, group)
        for place in list(figure.axes)[len(panels) :]:
            place.set_axis_off()
        pictures.append(folder / f"{row.lower().replace(' ', '-')}.png")
        figure.savefig(pictures[-1], dpi=90, pil_kwargs={"optimize": True})
    return pictures


def rows() -> dict[str, str]:
    """By panel, the row of the dashboard in which it stands."""
    found, row = {}, ""
    for panel in json.loads(watched.DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        row = panel["title"] if panel["type"] == "row" else row
        found[panel["title"]] = row
    return found


def plot(axes: Axes, panel: str, answers: Sequence[Answer]) -> None:
    """The panel is drawn there, over minutes since the beginning."""
    unit, factor = UNITS.get(answers[0][0].unit, (answers[0][0].unit, 1.0))
    axes.set_title(panel, fontsize=8, loc="left", color=INK)
    series = [(query, each) for query, found in answers for each in found]
    began = min((each["values"][0][0] for _, each in series), default=0.0)
    for query, each in series[:LINES]:
        moments = [(moment - began) / 60 for moment, _ in each["values"]]
        values = [float(value) * factor for _, value in each["values"]]
        axes.plot(moments, values, linewidth=0.9, label=named(query.legend, each["metric"]))
    axes.set_ylabel(unit, fontsize=7, color=INK)
    axes.set_xlabel("minutes", fontsize=7, color=INK)
    axes.tick_params(labelsize=6, colors=INK, length=2)
    axes.grid(visible=True, color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if 1 < len(series) <= LINES:
        axes.legend(fontsize=5, frameon=False, loc="upper left", ncols=2 if len(series) > 4 else 1)  # noqa: PLR2004 - what fits


def named(legend: str, metric: dict[str, str]) -> str:
    """What a line is called: the legend, with the labels of its series."""
    for label, value in metric.items():
        legend = legend.replace(f"{{{{{label}}}}}", value).replace(f"{{{{ {label} }}}}", value)
    return legend
