"""What charts show. The library that draws them takes a second to import, and only who draws one waits for it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sixty_analytics.heatmap import WEEKDAYS
from sixty_analytics.models import Image
from sixty_analytics.report import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty import Call
    from sixty_analytics.report import Sort

__all__ = ["HOURS", "Chart", "Form", "Series", "attach", "heatmap", "picture"]

Form = Literal["png", "svg"]
Shape = Literal["columns", "stack", "bars", "heatmap"]

HOURS = tuple(f"{hour:02}" for hour in range(24))
_PNG = "image/png"
_TOLD = 12
"""Values that stand in the text that takes the place of a chart; the tables have them all."""


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each label of a chart; None where nothing is known."""

    name: str
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...] = ()
    highs: tuple[float | None, ...] = ()
    """The ends of an interval around each value, where it has one."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. In a heat map each series is a row, and `labels` are its columns."""

    name: str
    title: str
    shape: Shape
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    sort: Sort
    across: str
    """What the labels are."""
    along: str
    """What the values are, with their unit."""
    empty: str
    """What to say where there is nothing to draw."""
    marks: Series | None = None
    """Values to draw as marks beside those of the series, such as targets."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no value but zeros, which would pose as figures."""
        marks = (self.marks,) if self.marks is not None else ()
        return not any(value for series in (*self.series, *marks) for value in series.values)

    @property
    def alternative(self) -> str:
        """What it shows, in words, for who cannot see it."""
        if self.is_empty:
            return f"{self.title}. {self.empty}"
        if self.shape == "heatmap":
            found = [
                (value, f"{series.name} {label}")
                for series in self.series
                for label, value in zip(self.labels, series.values, strict=True)
                if value
            ]
            ranked = [f"{where}: {spoken(value, self.sort)}" for value, where in sorted(found, key=_most)[:_TOLD]]
            return f"{self.title}. The highest: {'; '.join(ranked)}."
        told = [self._line(place, label) for place, label in enumerate(self.labels[:_TOLD])]
        rest = len(self.labels) - len(told)
        return f"{self.title}. {'; '.join(told)}{f'; and {rest} more' if rest else ''}."

    def _line(self, place: int, label: str) -> str:
        every = (*self.series, *((self.marks,) if self.marks is not None else ()))
        values = [f"{series.name} {spoken(series.values[place], self.sort)}" for series in every]
        return f"{label}: {', '.join(values)}"


def _most(found: tuple[float, str]) -> tuple[float, str]:
    return -found[0], found[1]


def picture(chart: Chart, form: Form) -> bytes:
    """The chart, drawn: the same bytes for the same chart. Takes a while; call it in a thread."""
    from sixty_analytics.drawing import draw  # noqa: PLC0415 - see the top of this file

    return draw(chart, form)


async def attach(call: Call, chart: Chart) -> Image:
    """The chart stands behind the result, as an image; what is to be said of it there."""
    from mcp_types import ImageContent  # noqa: PLC0415 - a third of a second

    drawn = await asyncio.to_thread(picture, chart, "png")
    call.attach(ImageContent(type="image", data=b64encode(drawn).decode(), mime_type=_PNG))
    return Image(name=f"{chart.name}.png", alt=chart.alternative, mime_type=_PNG)


def heatmap(counts: Sequence[Sequence[int]], window: str) -> Chart:
    """The chart of activities by weekday, Monday first, and hour."""
    return Chart(
        name="heatmap",
        title="Completed activities by weekday and hour",
        shape="heatmap",
        labels=HOURS,
        series=tuple(Series(day, tuple(row)) for day, row in zip(WEEKDAYS, counts, strict=True)),
        sort="count",
        across=f"Hour of the day, {window}",
        along="Completed activities",
        empty="No activity was completed in this time.",
    )
