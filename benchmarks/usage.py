"""What processes take up, as the kernel counts it: without asking them, so that they need not take part."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Cores", "Size", "cpu", "family", "pinned", "size_of"]

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Size:
    """How large a process is."""

    memory: float
    """In MiB, resident, and its own: pages of the database's file are the system's, which takes them back."""
    connections: int
    """Open sockets."""
    threads: int
    files: int
    """Open descriptors, sockets among them."""


@dataclass(frozen=True)
class Cores:
    """Who computes where: servers by themselves, so that whoever asks takes no time from them."""

    servers: tuple[int, ...]
    others: tuple[int, ...]
    """The generator, the database, and whatever else takes part."""

    @classmethod
    def of_machine(cls) -> Cores:
        """Half of the cores for the servers, and half for the others; a single one is shared."""
        cores = sorted(os.sched_getaffinity(0))
        half = len(cores) // 2
        return cls(tuple(cores[:half] or cores), tuple(cores[half:]))

    def __str__(self) -> str:
        return (
            f"servers on core {_listed(self.servers)}; generator, database and all else on core {_listed(self.others)}"
        )


def _listed(cores: Sequence[int]) -> str:
    return ", ".join(map(str, cores))


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """What this process does in the block, and whatever it starts there for good, keeps to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def size_of(pid: int) -> Size:
    """How large a process is now."""
    folder = PROC / str(pid)
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    files = sockets = 0
    for link in os.listdir(folder / "fd"):  # noqa: PTH208 - names only; most are no files
        files += 1
        with suppress(OSError):  # it was closed meanwhile
            sockets += os.readlink(folder / "fd" / link).startswith("socket:")  # noqa: PTH115 - as above
    own = sum(int(status[name].split()[0]) for name in ("RssAnon", "RssShmem"))
    return Size(own / 1024, sockets, int(status["Threads"]), files)


def family(pid: int) -> list[int]:
    """A process and all that it and its own have started, as far as they live."""
    children: dict[int, list[int]] = {}
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
    found, further = [], [pid]
    while further:
        found.append(one := further.pop())
        further += children.get(one, [])
    return found


def cpu(*pids: int) -> float:
    """Seconds that processes have computed so far, those of children that have ended included."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            total += sum(map(int, _stat(pid)[11:15]))
    return total / TICKS


def _stat(pid: int) -> list[str]:
    """What `/proc/PID/stat` says from the state on: the name before it may hold anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
