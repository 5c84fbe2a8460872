"""Records that come in from files, and go out to them: what a pack needs to say how its own do."""

from __future__ import annotations

from sixty.exchange.cells import Amount, AtMoment, Key, OnDay, Parts, Whole
from sixty.exchange.forms import FORMS, Form, Line, Preset

__all__ = ["FORMS", "Amount", "AtMoment", "Form", "Key", "Line", "OnDay", "Parts", "Preset", "Whole"]
