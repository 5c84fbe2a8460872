"""Rules: a test of the suite that says, beside what is wrong, why it matters and how to mend it.

Nothing is asked here. The tests are in `declared.py` and `suite.py`; `checking.py` makes a report of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Rule", "rule", "rule_of"]

_Arguments = ParamSpec("_Arguments")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a pack has to keep to."""

    title: str
    """One sentence, which is true of a pack that keeps to it."""
    why: str
    mend: str


def rule(title: str, *, why: str, mend: str) -> Callable[[Callable[_Arguments, None]], Callable[_Arguments, None]]:
    """A test that asks for this rule; its failures carry why it matters and how to mend it, as a note."""
    asked = Rule(title, why, mend)

    def decorate(test: Callable[_Arguments, None]) -> Callable[_Arguments, None]:
        @wraps(test)
        def telling(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
            try:
                test(*args, **kwargs)
            except (Exception, pytest.fail.Exception) as error:
                error.add_note(f"why:  {why}\nmend: {mend}")
                raise

        telling.rule = asked  # type: ignore[attr-defined]
        return telling

    return decorate


def rule_of(test: object) -> Rule | None:
    """The rule that a test asks for, or None if it is a test of another sort."""
    found = getattr(test, "rule", None)
    return found if isinstance(found, Rule) else None
