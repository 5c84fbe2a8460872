"""The community node, built once for all that is asked of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `workshop`: tests themselves are collected by path

from workshop import Workshop, workshop

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def built(install: Callable[..., Path]) -> Workshop:
    """The workshop, in which the package is built."""
    made = workshop(install)
    made.run("npm", "run", "build")
    return made
