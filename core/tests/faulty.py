"""A pack that is made for one test, with one fault, and the suite that is to find it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes

from sixty import Arguments, Call, Kind, Permissions, Record, Result, Tables, Text, Tool, hookimpl, record_table, tool
from sixty.lifecycle import load
from sixty.testing import PluginSuite
from sixty.testing.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from sixty.testing.databases import SqliteTemplates

metadata = sa.MetaData()
table = record_table("things", metadata, sa.Column("text", sa.Text))
loose = sa.Table("loose_things", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text))
THING = Kind("thing", table=table, model=Record, resource="things", title="text")
TABLES = Tables(metadata, (THING,))
ACTIONS = {"use": "Use things", "read": "Read things", "create": "Add things", "delete": "Remove things"}


class Say(Arguments):
    text: Text


def a_tool(handler: Callable[..., Any] | None = None, **options: Any) -> Tool:
    """A tool that does nothing wrong, but for what is asked for."""

    async def say(args: Say, call: Call) -> Result:
        """Say it."""
        if handler is not None:
            await handler(args, call)
        return Result(message="Said")

    return tool(**{"name": "say", "permission": "things:use", "effect": "read", **options})(say)


class Faulty:
    """The suite, over a pack made for one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, templates: SqliteTemplates) -> None:
        self.monkeypatch, self.tmp_path, self.templates = monkeypatch, tmp_path, templates
        self.tests = type("Suite", (PluginSuite,), {"plugin": "things_pack", "name": "things"})()
        self.hooks: dict[str, Callable[..., Any]] = {}
        self.declare(permissions=[Permissions("things", {"use": "Use things"}, {"user": ("things:use",)})])

    def declare(self, **declared: Any) -> None:
        for name, value in declared.items():
            self.hooks[f"sixty_{name}"] = value if callable(value) else lambda value=value: value
        module = ModuleType("things_pack", "Things.")
        for name, hook in self.hooks.items():
            setattr(module, name, hookimpl(hook))
        self.monkeypatch.setitem(sys.modules, "things_pack", module)
        self.plugins = (("notes", notes), ("things", module))

    def ship(self, source: str) -> None:
        """What is imported is a file with this source; `pack` stays what was declared."""
        (self.tmp_path / "things_pack.py").write_text(source)
        self.monkeypatch.delitem(sys.modules, "things_pack", raising=False)
        self.monkeypatch.syspath_prepend(self.tmp_path)

    @property
    def pack(self) -> Any:
        return load("things", dict(self.plugins)["things"], {})

    @property
    def url(self) -> str:
        return self.templates.copy(self.plugins, self.tmp_path / "sixty.db")

    def serving(self) -> Any:
        return serving(self.url, self.plugins, {}, "things", {})


def fails(match: str | None = None) -> Any:
    return pytest.raises((AssertionError, pytest.fail.Exception), match=match)
