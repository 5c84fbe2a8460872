"""What docs/operate.md has people type names files that are there and commands that exist."""

from __future__ import annotations

import re

import click
import pytest
from written import DEPLOY, ROOT

from sixty.cli import cli

pytestmark = pytest.mark.deploy

PAGE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")


def test_each_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w/])(?:deploy|\.github)/[\w./-]*\w", PAGE))
    assert len(named) > 10
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_each_folder_of_deploy_is_named() -> None:
    for folder in DEPLOY.iterdir():
        assert f"deploy/{folder.name}" in PAGE, f"docs/operate.md says nothing of deploy/{folder.name}"


def test_each_command_of_sixtys_exists() -> None:
    typed = re.findall(r"(?:^(?:\$ )?|`|exec sixty-1 )sixty ([a-z]+)(?: ([a-z]+))?", PAGE, re.MULTILINE)
    assert len(typed) > 10
    context = click.Context(cli)
    for first, second in typed:
        command = cli.get_command(context, first)
        assert command is not None, f"there is no `sixty {first}`"
        if isinstance(command, click.Group) and second:
            assert second in command.list_commands(context), f"there is no `sixty {first} {second}`"
