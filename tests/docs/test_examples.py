"""What the pages show comes out."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
from pages import Page, pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from console import Console

pytestmark = pytest.mark.docs

FOLLOWED = [page.name for page in pages() if any(block.language == "console" for block in page.blocks)]


@pytest.mark.parametrize("name", FOLLOWED)
def test_whoever_follows_a_page_sees_what_it_shows(followed: Callable[[str], Console], name: str) -> None:
    assert followed(name).said


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_example_of_a_format_is_of_that_format(page: Page) -> None:
    for block in page.blocks:
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")


# the pack of write-a-plugin.md


def test_the_row_that_the_page_makes_is_in_the_table(followed: Callable[[str], Console]) -> None:
    database = sqlite3.connect(followed("write-a-plugin.md").folder / "sixty.db")
    assert ("Prefers e-mail",) in database.execute("SELECT title FROM notes").fetchall()
    database.close()


def test_the_pack_is_whole_when_it_is_installed_as_others_install_it(
    followed: Callable[[str], Console], tmp_path: Path
) -> None:
    console = followed("write-a-plugin.md")
    command = ["python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, "./sixty-notes"]
    subprocess.run(command, cwd=console.folder, env=dict(console.environ), check=True)  # noqa: S603 - what the page says
    assert (tmp_path / "sixty_notes.py").exists()
    entry_points = next(tmp_path.glob("sixty_notes-*.dist-info/entry_points.txt"))
    assert entry_points.read_text(encoding="utf-8").split() == ["[sixty.plugins]", "notes", "=", "sixty_notes"]
