"""How charts are drawn, by matplotlib: on figures of their own, with nothing kept between them."""

from __future__ import annotations

import io
from functools import lru_cache
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import FuncFormatter

from sixty_analytics.report import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sixty_analytics.charts import Chart, Form, Series

__all__ = ["draw"]

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""The colours of Okabe and Ito, which people tell apart however they see colours."""
_INK = "#333333"
_LONGEST = 40
"""Characters of a label; the tables have it whole."""
_LEVEL = 8
"""Labels that stand side by side; more of them are slanted."""
_LABELS = 30
"""Labels that are written at the most; of more, every second, third and so on, and no values."""
_STYLE = {
    "font.family": "DejaVu Sans",  # which comes with the library: the same picture on every machine
    "font.size": 9,
    "text.parse_math": False,  # a name with two dollar signs is a name
    "svg.fonttype": "none",
    "svg.hashsalt": "sixty",
    "axes.edgecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_drawing = Lock()
"""The library keeps its settings and fonts for the whole process."""


def draw(chart: Chart, form: Form) -> bytes:
    """The chart as a PNG of 1000 by 560 pixels or so, or as an SVG."""
    with _drawing, mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        tall = 5.6 if chart.shape != "bars" else max(3.2, 1.6 + 0.4 * len(chart.labels) * len(chart.series))
        figure = Figure(figsize=(10, tall), dpi=100, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(_label(chart.title, 90), loc="left", fontsize=12, color=_INK)
        if chart.is_empty:
            _say_nothing(axes, chart)
        else:
            _SHAPES[chart.shape](axes, chart)
            if len(chart.series) + (chart.marks is not None) > 1 and chart.shape != "heatmap":
                figure.legend(frameon=False, loc="outside upper right", ncols=len(chart.series) + 1)
        written = io.BytesIO()
        if form == "png":
            FigureCanvasAgg(figure).print_png(written, metadata={"Software": None})  # type: ignore[no-untyped-call]
        else:
            none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            FigureCanvasSVG(figure).print_svg(written, metadata=none)  # type: ignore[no-untyped-call]
        return written.getvalue()


def _say_nothing(axes: Axes, chart: Chart) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, _label(chart.empty, 100), ha="center", va="center", fontsize=12, transform=axes.transAxes)


def _columns(axes: Axes, chart: Chart) -> None:
    width = 0.8 / len(chart.series)
    for number, series in enumerate(chart.series):
        places = [place - 0.4 + width * (number + 0.5) for place in range(len(chart.labels))]
        bars = axes.bar(places, _heights(series), width, label=series.name, color=PALETTE[number % len(PALETTE)])
        axes.bar_label(bars, _told(series, chart), padding=2, fontsize=8)
    _upright(axes, chart)


def _stack(axes: Axes, chart: Chart) -> None:
    below = [0.0] * len(chart.labels)
    for number, series in enumerate(chart.series):
        heights = _heights(series)
        colour = PALETTE[number % len(PALETTE)]
        axes.bar(range(len(heights)), heights, 0.7, bottom=below, label=series.name, color=colour)
        below = [base + height for base, height in zip(below, heights, strict=True)]
    for place, height in enumerate(below if len(below) <= _LABELS else ()):
        known = [series.values[place] for series in chart.series]
        if any(value is not None for value in known):
            axes.annotate(_short(height, chart), (place, height), (0, 3), textcoords="offset points", ha="center")
    _upright(axes, chart)


def _upright(axes: Axes, chart: Chart) -> None:
    if chart.marks is not None and any(value is not None for value in chart.marks.values):
        found = [(place, value) for place, value in enumerate(chart.marks.values) if value is not None]
        places, values = zip(*found, strict=True)
        axes.plot(
            places,
            values,
            linestyle="",
            marker="D",
            color="black",
            markeredgecolor="white",
            label=chart.marks.name,
            zorder=3,
        )
    crowded = len(chart.labels) > _LEVEL
    axes.set_xticks(range(len(chart.labels)), [_label(label) for label in chart.labels], rotation=45 * crowded)
    if crowded:
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")
            text.set_rotation_mode("anchor")
        every = ceil(len(chart.labels) / _LABELS)
        for place, text in enumerate(axes.get_xticklabels()):
            text.set_visible(place % every == 0)
    axes.set_xlabel(_label(chart.across, 90))
    axes.set_ylabel(chart.along)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value, chart)))
    axes.margins(y=0.12)
    axes.set_ylim(bottom=0)


def _bars(axes: Axes, chart: Chart) -> None:
    height = 0.8 / len(chart.series)
    for number, series in enumerate(chart.series):
        places = [place - 0.4 + height * (number + 0.5) for place in range(len(chart.labels))]
        lengths = _heights(series)
        bars = axes.barh(
            places,
            lengths,
            height * 0.9,
            label=series.name,
            color=PALETTE[number % len(PALETTE)],
            xerr=_intervals(series, lengths),
            error_kw={"ecolor": _INK, "capsize": 3},
        )
        axes.bar_label(bars, _told(series, chart), padding=4, fontsize=8)
    axes.set_yticks(range(len(chart.labels)), [_label(label) for label in chart.labels])
    axes.invert_yaxis()
    axes.set_ylabel(chart.across)
    axes.set_xlabel(chart.along)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value, chart)))
    axes.margins(x=0.14)
    axes.set_xlim(left=0)


def _heatmap(axes: Axes, chart: Chart) -> None:
    rows = [_heights(series) for series in chart.series]
    mesh = axes.pcolormesh(rows, cmap="Blues", vmin=0, edgecolors="#dddddd", linewidth=0.5)
    darkest = max(value for row in rows for value in row)
    for place, row in enumerate(rows):
        for number, value in enumerate(row):
            if value:
                ink = "white" if value > darkest / 2 else "black"
                axes.text(number + 0.5, place + 0.5, _short(value, chart), ha="center", va="center", color=ink, size=7)
    axes.set_xticks([place + 0.5 for place in range(len(chart.labels))], [_label(label) for label in chart.labels])
    axes.set_yticks([place + 0.5 for place in range(len(rows))], [_label(series.name) for series in chart.series])
    axes.invert_yaxis()
    axes.set_xlabel(_label(chart.across, 90))
    axes.figure.colorbar(mesh, ax=axes, label=chart.along)


_SHAPES = {"columns": _columns, "stack": _stack, "bars": _bars, "heatmap": _heatmap}


def _heights(series: Series) -> list[float]:
    return [float(value or 0) for value in series.values]


def _intervals(series: Series, lengths: list[float]) -> Any:
    """How far each interval reaches to either side of its value."""
    if not series.lows:
        return None
    lows = [length - float(low) if low is not None else 0.0 for length, low in zip(lengths, series.lows, strict=True)]
    highs = [
        float(high) - length if high is not None else 0 for length, high in zip(lengths, series.highs, strict=True)
    ]
    return [[max(0.0, low) for low in lows], [max(0.0, high) for high in highs]]


def _told(series: Series, chart: Chart) -> list[str]:
    return ["unknown" if value is None else _short(value, chart) for value in series.values]


def _short(value: float, chart: Chart) -> str:
    """A value in few characters."""
    if chart.sort == "money":
        for size, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:,.3g} {letter}" if abs(value) < size * 1000 else f"{value / size:,.0f} {letter}"
        return f"{value:,.0f}"
    if chart.sort == "count" and value == round(value):
        return f"{value:,.0f}"
    return spoken(value, chart.sort)


def _label(text: str, longest: int = _LONGEST) -> str:
    """A text on one line, in characters that the font has."""
    line = " ".join(text.split())
    short = line if len(line) <= longest else f"{line[: longest - 1]}…"
    known = _characters()
    return "".join(each if ord(each) in known else "□" for each in short)


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
