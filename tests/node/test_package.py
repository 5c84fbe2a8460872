"""The community node for n8n as a package: it builds, keeps the rules of verified nodes, and passes its tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from workshop import Workshop

pytestmark = pytest.mark.node


def test_the_package_has_what_n8n_loads_and_nothing_that_it_does_not_need(built: Workshop) -> None:
    (packed,) = json.loads(built.run("npm", "pack", "--dry-run", "--json"))
    files = {entry["path"] for entry in packed["files"]}
    declared = json.loads((built.folder / "package.json").read_text(encoding="utf-8"))["n8n"]
    assert files >= {*declared["nodes"], *declared["credentials"], "LICENSE", "README.md", "dist/icons/sixty.dark.svg"}
    assert {file.partition("/")[0] for file in files} == {"LICENSE", "README.md", "dist", "package.json"}


def test_it_keeps_the_rules_of_verified_nodes(built: Workshop) -> None:
    built.run("npm", "run", "lint")


def test_its_own_tests_pass(built: Workshop) -> None:
    assert "fail 0" in built.run("npm", "test")
