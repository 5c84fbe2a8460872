"""What processes take up is seen from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # benchmarks are no distribution

from benchmarks.usage import Cores, cpu, family, pinned, size_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is Linux that tells by /proc")


def test_a_socket_a_thread_and_memory_are_each_seen() -> None:
    before = size_of(os.getpid())
    enough = threading.Event()
    thread = threading.Thread(target=enough.wait)
    thread.start()
    kept = bytearray(os.urandom(32 * 1024 * 1024))
    with socket.socket():
        after = size_of(os.getpid())
    enough.set()
    thread.join()

    assert after.connections - before.connections == 1
    assert after.files - before.files == 1
    assert after.threads - before.threads == 1
    assert after.memory - before.memory > 30
    assert kept


def test_what_a_process_has_computed_counts_also_when_a_child_of_it_did_and_has_ended() -> None:
    before = cpu(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)

    assert cpu(os.getpid()) > before


def test_what_is_started_within_keeps_to_the_cores_and_belongs_to_the_family() -> None:
    cores = Cores.of_machine()
    with (
        pinned(cores.servers),
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
    ):
        assert tuple(sorted(os.sched_getaffinity(child.pid))) == cores.servers
        assert child.pid in family(os.getpid())
        child.communicate(b"\n")

    assert {*cores.servers, *cores.others} <= os.sched_getaffinity(0)
