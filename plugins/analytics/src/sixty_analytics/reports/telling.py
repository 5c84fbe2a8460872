"""What all reports say alike: their window, what was counted, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Invalid
from sixty_analytics.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sixty import Call
    from sixty_analytics.models import Definition

__all__ = ["as_numbers", "definition", "notes", "window_of"]

LONGEST = 3660
"""Days of a window at the most: ten years."""


def window_of(call: Call, start: date | None, end: date | None, days: int) -> Window:
    """The days from `start` to `end`; without a start so many days, without an end until today. Raises `Invalid`."""
    window = Window.of(call, start, end, days=days)
    if (window.last - window.first).days >= LONGEST:
        msg = f"a report is about ten years at the most, and {window.first} and {window.last} are further apart"
        raise Invalid(msg, field="start", given=str(window.first))
    return window


def definition(found: Definition) -> str:
    """What was counted and how, in sentences."""
    days = f", from {found.window['from']} to {found.window['to']}" if found.window is not None else ""
    first = f"Counted: {found.counted}. By {found.date_field}{days} ({found.timezone})"
    return ". ".join((first, *(rule[:1].upper() + rule[1:] for rule in found.rules))) + "."


def notes(left_out: Mapping[str, int], missing: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What was left out, where anything was, and what cannot be known, and why."""
    left = [f"{count} {reason.replace('_', ' ')}" for reason, count in left_out.items() if count]
    told = [f"Left out: {', '.join(left)}."] if left else []
    told.extend(f"Not known, {name.replace('_', ' ')}: {why}." for name, why in (missing or {}).items())
    return tuple(told)


def as_numbers(values: Iterable[object]) -> tuple[float | None, ...]:
    """Values as charts take them."""
    return tuple(None if value is None else float(str(value)) for value in values)
