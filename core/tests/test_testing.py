"""The suite for packs: packs as they should be pass it."""

from __future__ import annotations

from fakes import notes

from sixty.testing import PluginSuite


class TestNotes(PluginSuite):
    plugin = "fakes.notes"
    name = "notes"
    examples = {"claim_text": {"text": "A text of its own"}}


class TestPins(PluginSuite):
    plugin = "fakes.pins"
    name = "pins"
    companions = (("notes", notes),)
