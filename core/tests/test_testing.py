"""The suite for packs: packs as they should be pass it."""

from __future__ import annotations

from fakes import notes, pins, sums, world

from sixty.testing import PluginSuite


class TestNotes(PluginSuite):
    plugin = "fakes.notes"
    name = "notes"


class TestPins(PluginSuite):
    plugin = "fakes.pins"
    name = "pins"
    companions = (("notes", notes),)
    examples = {"add_pin": {"label": "A pin"}}


class TestSums(PluginSuite):
    plugin = "fakes.sums"
    name = "sums"
    companions = (("notes", notes), ("pins", pins), ("world", world))
