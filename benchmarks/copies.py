"""Copies of the pack `pricing_0`, installed as `pip install` does it, but into a folder of their own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import pricing_0

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copies", "install"]

VERSION = "1.0"


@contextmanager
def copies(count: int) -> Iterator[str]:
    """A folder with so many packs, from `pricing_1` on, while it is needed. A server finds it by `PYTHONPATH`."""
    with TemporaryDirectory() as folder:
        for number in range(1, count + 1):
            install(folder, f"pricing_{number}")
        yield folder


def install(folder: str, name: str) -> None:
    """There is one more pack in the folder, also for a server that runs already."""
    Path(folder, f"{name}.py").write_bytes(Path(pricing_0.__file__).read_bytes())
    about = Path(folder, f"{name}-{VERSION}.dist-info")
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
    (about / "entry_points.txt").write_text(f"[sixty.plugins]\n{name} = {name}\n")
