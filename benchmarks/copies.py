"""Copies of the pack `pricing_0`, installed as `pip install` does it, but into a folder of their own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import pricing_0

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copies"]

VERSION = "1.0"


@contextmanager
def copies(count: int) -> Iterator[tuple[str, list[str]]]:
    """So many packs are installed in a folder, which a server finds by `PYTHONPATH`: that folder, and their names."""
    source = Path(pricing_0.__file__).read_text(encoding="utf-8")
    names = [f"pricing_{number}" for number in range(1, count + 1)]
    with TemporaryDirectory() as folder:
        for name in names:
            Path(folder, f"{name}.py").write_text(source, encoding="utf-8")
            about = Path(folder, f"{name}-{VERSION}.dist-info")
            about.mkdir()
            (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
            (about / "entry_points.txt").write_text(f"[sixty.plugins]\n{name} = {name}\n")
        yield folder, names
