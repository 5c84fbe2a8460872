"""Whatever there is, is documented: hooks, names, settings, commands, permissions, tools."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import click
import pytest
from pages import DOCS, ROOT, Page, pages
from reference import made

import sixty
from sixty import Gauge, Reading, builtin, hookspecs
from sixty.cli import cli
from sixty.config import PREFIX, Settings
from sixty.context import Call
from sixty.lifecycle import GROUP, assemble, core, load
from sixty.permissions import ROLES
from sixty.records import Records
from sixty.signals.exposition import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from sixty.host import Host
    from sixty.registry import Pack

pytestmark = pytest.mark.docs

START, PLUGIN = Page(DOCS / "start.md"), Page(DOCS / "write-a-plugin.md")
OPERATE = Page(DOCS / "operate.md")
TOOLS, COMMANDS = Page(DOCS / "tools.md"), Page(DOCS / "commands.md")
MADE_UP = {"SIXTY_TIME_ZONE", "SIXTY_NOTES_ONWIN", "SIXTY_NOTES_ON_WIN"}
"""Settings of the examples: two that are refused, and one of the pack that is made there."""
PERMISSIONS, SETTINGS = Page(DOCS / "permissions.md"), Page(DOCS / "settings.md")


def packs() -> list[Pack]:
    """The core and every installed pack that is part of this repository."""
    installed = [load(entry.name, entry.load(), {}) for entry in sorted(entry_points(group=GROUP))]
    ours = {path.name for path in (ROOT / "plugins").iterdir()}
    return [load("core", builtin, {}), *(pack for pack in installed if pack.name in ours)]


def code_in(text: str) -> set[str]:
    """Everything that a text has between back quotes."""
    return set(re.findall(r"`([^`\n]+)`", text))


# hooks and names


def hooks() -> dict[str, Any]:
    return {name: getattr(hookspecs, name) for name in hookspecs.__all__ if name.startswith("sixty_")}


def test_each_hook_is_documented_as_its_specification_says() -> None:
    rows = [
        f"| `{name}({', '.join(inspect.signature(hook).parameters)})` | {' '.join(inspect.getdoc(hook).split())} |"
        for name, hook in hooks().items()
    ]
    shown = [line for line in PLUGIN.section("Hooks").splitlines() if line.startswith("| `")]
    assert sorted(shown) == sorted(rows)


def test_each_name_that_a_plugin_imports_is_documented() -> None:
    section = PLUGIN.section("What `sixty` gives you")
    names, of_call = section.split("| of `call`")
    assert code_in(names.partition("|---")[2]) == set(sixty.__all__)
    attributes = {name.partition("(")[0] for name in re.findall(r"^\| (`.+?`) \|", of_call, re.MULTILINE)}
    for name in re.findall(r"`(\w+)", " ".join(attributes)):
        assert name in Call.__dataclass_fields__ or hasattr(Call, name), f"call has no {name}"
    methods = code_in(next(line for line in of_call.splitlines() if line.startswith("| `records`"))) - {"records"}
    assert methods <= set(dir(Records))


# settings


def rows_of(model: type[BaseModel], prefix: str) -> str:
    """The table of a model's settings."""
    lines = []
    for name, field in model.model_fields.items():
        value = field.default
        if isinstance(value, tuple):
            value = ", ".join(map(str, value))
        unset = "" if value in (None, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"
        lines.append(f"| `{prefix}{name.upper()}` | {unset} | {field.description} |\n")
    return "".join(lines)


def test_each_setting_of_the_server_is_documented_as_its_field_says() -> None:
    assert SETTINGS.section("The server").partition("|---|---|---|\n")[2].strip() == (
        f"| `{PREFIX}CONFIG` |  | The TOML file with settings. |\n{rows_of(Settings, PREFIX)}".strip()
    )


@pytest.mark.parametrize("pack", [pack for pack in packs() if pack.settings], ids=lambda pack: pack.name)
def test_each_setting_of_a_pack_is_documented_as_its_field_says(pack: Pack) -> None:
    rows = SETTINGS.section(pack.name.capitalize()).partition("|---|---|---|\n")[2].strip()
    assert rows == rows_of(type(pack.settings), f"{PREFIX}{pack.name.upper()}_").strip()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_names_a_setting_that_there_is_not(page: Page) -> None:
    named = set(re.findall(r"\bSIXTY_[A-Z_]*[A-Z]\b(?!_)", page.text))
    assert {name.removesuffix("_FILE") for name in named - MADE_UP} <= code_in(SETTINGS.text)


# commands


def commands(group: click.Group, path: str = "sixty") -> Iterator[tuple[str, click.Command]]:
    """Every command and the words that lead to it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_each_command_is_documented_with_its_options() -> None:
    shown = re.findall(r"^\| `(sixty [^`]+)` \|", START.section("Every command"), re.MULTILINE)
    known = dict(commands(cli))
    for path, command in known.items():
        usage = [line for line in shown if f"{line} ".startswith(f"{path} ")]
        assert len(usage) == 1, f"start.md must have one row for `{path}`"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in ("as_json", "help"):
                assert set(parameter.opts) & set(usage[0].split()), f"`{path}` has an option {parameter.opts}"
    gone = [line for line in shown if not any(f"{line} ".startswith(f"{path} ") for path in known)]
    assert not gone


# metrics


def test_each_metric_is_documented_as_it_describes_itself() -> None:
    registry = assemble(core({}), packs()[1:], {})
    host = SimpleNamespace(registry=registry, clock=lambda: datetime.now(UTC))
    metrics = Metrics(cast("Host", host))
    metrics.connected(int)
    labels = {one._name: one._labelnames for one in (metrics._calls, metrics._seconds, metrics._errors)}
    for metric in registry.metrics:
        of_reading = (metric.label,) if isinstance(metric, Reading) and metric.label else ()
        labels[metric.name] = metric.labels if isinstance(metric, Gauge) else of_reading
    rows = []
    for family in metrics._registry.collect():
        names = labels.get(family.name, labels.get(f"{family.name}_total", ()))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if not name.startswith(("process_", "python_")):
            rows.append(
                f"| `{name}` | {' '.join(f'`{it}`' for it in names)} | {family.type} | {family.documentation} |"
            )
    shown = [line for line in OPERATE.section("Metrics").splitlines() if line.startswith("| `")]
    assert sorted(shown) == sorted(rows)


# permissions


@pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.name)
def test_each_permission_and_each_default_grant_is_documented(pack: Pack) -> None:
    offered = PERMISSIONS.section("What there is to grant")
    roles = {row.split("`")[1]: row for row in PERMISSIONS.section("Roles").splitlines() if row.startswith("| `")}
    assert tuple(roles) == ROLES
    for item in pack.permissions:
        for action, sentence in item.actions.items():
            assert f"| `{item.resource}:{action}` | {sentence} |" in offered
        for role, grants in item.grants.items():
            assert set(grants) <= code_in(roles[role])


# tools


def test_each_tool_is_documented_as_it_describes_itself_with_the_answer_that_it_gives() -> None:
    assert TOOLS.text == made(), "docs/tools.md is not what comes out any more: `make docs` writes it anew"


def test_each_tool_can_be_asked_for_in_plain_words() -> None:
    tools = {tool.name: tool for pack in packs() for tool in pack.tools}
    others = {offer.name for pack in packs() for offer in (*pack.prompts, *pack.resources)}
    rows = [line.split("|")[2].strip() for line in COMMANDS.text.splitlines() if line.startswith("| ")]
    named: set[str] = set()
    for row in rows:
        for name, arguments in re.findall(r"`([^`]+)`([a-z_, ]*)", row):
            assert name in tools or name in others, f"commands.md leads to {name}, which is not there"
            given = [word for word in re.split(r"[ ,]+", arguments) if word and word not in ("then", "or")]
            assert set(given) <= set(tools[name].input_schema["properties"] if name in tools else ()), (name, given)
            named.add(name)
    assert tools.keys() <= named


# pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_page_that_is_linked_to_is_there(page: Page) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.text):
        if "://" not in target:
            assert (page.path.parent / target).exists(), f"{page.name} links to {target}"
