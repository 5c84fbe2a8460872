"""A fleet on this machine: replicas of one server on one database, each process where it may compute."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import databases, mix
from benchmarks.organisation import Organisation
from benchmarks.processes import free_port, running
from benchmarks.proxy import proxy
from benchmarks.report import RESULTS
from benchmarks.turns import say
from benchmarks.usage import Cores, Size, cpu, family, pinned, size_of
from tests.things import Postgres, Redis, postgres_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.mix import Staff
    from benchmarks.processes import Running

__all__ = ["KINDS", "Fleet", "fleet"]

KINDS = ("SQLite", "Postgres")


@dataclass(frozen=True)
class Fleet:
    """Replicas that serve an organisation."""

    database: str
    """Of which kind it is."""
    address: str
    organisation: Organisation
    staff: Staff
    servers: Sequence[Running]
    ports: Sequence[int]
    """Where requests go: to the servers themselves, or to the proxy before them."""
    cores: Cores
    redis: str | None = None
    postmaster: int | None = None
    memory_idle: Sequence[float] = field(default=())
    """Of each replica before anybody called, in MiB."""

    def server_cpu(self, count: int | None = None) -> float:
        """Seconds that the first so many servers have computed."""
        return cpu(*(server.pid for server in self.servers[:count]))

    def database_cpu(self) -> float:
        """Seconds that the database has computed; that of SQLite is the servers' own."""
        return cpu(*family(self.postmaster)) if self.postmaster else 0.0

    def sizes(self) -> list[Size]:
        """How large each replica is."""
        return [size_of(server.pid) for server in self.servers]

    def database_mib(self) -> float:
        """How large the database is on the disk."""
        return databases.size(self.address) / 1024 / 1024


@contextmanager
def fleet(
    kind: str,
    replicas: int,
    deals: int,
    *,
    settings: Mapping[str, str] | None = None,
    with_redis: bool = False,
    behind_nginx: bool = False,
    program: Sequence[str] | None = None,
) -> Iterator[Fleet]:
    """So many replicas serve an organisation with so many deals. All that they need is started for them alone.

    `program` serves in the place of `sixty`.
    """
    cores = Cores.of_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=RESULTS)))
        stack.enter_context(pinned(cores.others))
        address, postmaster = _database(kind, stack)
        further = {**(settings or {})}
        if with_redis:
            further["SIXTY_REDIS_URL"] = _redis(folder, stack)
        if behind_nginx:
            further["SIXTY_TRUSTED_PROXIES"] = "127.0.0.0/8"
        organisation = Organisation.at(address, **further)
        say(f"Filling {kind} with {deals:,} deals ...")
        staff = mix.filled(organisation, address, deals, time.time())
        servers = []
        for _ in range(replicas):
            port = free_port()
            serve = organisation.over_http(port)
            with pinned(cores.servers):
                running_there = running([*(program or serve[:1]), *serve[1:]], port, organisation.settings)
                servers.append(stack.enter_context(running_there))
        idle = [size_of(server.pid).memory for server in servers]
        mix.contacts(servers[0].port, staff)
        ports = [server.port for server in servers]
        if behind_nginx:
            ports = [stack.enter_context(proxy(ports, folder))]
        yield Fleet(
            kind, address, organisation, staff, servers, ports, cores, further.get("SIXTY_REDIS_URL"), postmaster, idle
        )


def _database(kind: str, stack: ExitStack) -> tuple[str, int | None]:
    """The address of an empty database, and the process of its server where there is one."""
    if kind == "SQLite":
        return stack.enter_context(databases.sqlite(RESULTS)), None
    binaries = postgres_binaries()
    if binaries is None:
        raise SystemExit("the programs of Postgres are missing: the load on Postgres runs on one of its own")
    server = Postgres(binaries)
    stack.callback(server.remove)
    server.start()
    return server.url, server.pid


def _redis(folder: Path, stack: ExitStack) -> str:
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is missing: leave --redis out, or install it")
    redis = Redis(program, folder / "redis.log")
    redis.start()
    stack.callback(redis.kill)
    return redis.url
