"""What a plugin author imports."""

from __future__ import annotations

import ast
import inspect

import pytest

import sixty
from sixty import commands, testing


@pytest.mark.parametrize("module", [sixty, testing, commands])
def test_all_is_sorted_complete_and_true(module: object) -> None:
    names: list[str] = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert all(hasattr(module, name) for name in names)
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sixty")
        for alias in node.names
    }
    assert imported == set(names)


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = testing.nonsense
