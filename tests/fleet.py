"""Several servers on one Postgres and one Redis, behind the nginx of `deploy/nginx`: what replicas are."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from things import PATIENCE, Program, Redis, free_port, running

from sixty.people import add_key, add_user
from sixty.permissions import ROLES
from sixty.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
SIXTY = str(Path(sys.executable).with_name("sixty"))
SERVERS = 3
PROGRAMS = ("nginx", "openssl", "redis-server")


def missing() -> str | None:
    """Which of the programs that a fleet needs is not on this machine."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"{' and '.join(absent)} cannot be found: a fleet needs them" if absent else None


def configured(folder: Path, servers: Mapping[str, int], http: int, https: int) -> Path:
    """The configuration of `deploy/nginx` in a folder, with other addresses and nothing else changed."""
    source = ROOT / "deploy" / "nginx"
    text = (source / "nginx.conf").read_text()
    for old, new in {
        r"listen 80;": f"listen 127.0.0.1:{http};",
        r"listen 443 ": f"listen 127.0.0.1:{https} ",
        r"/etc/nginx/sixty/": f"{source}/",
        r"/etc/nginx/tls/": f"{folder}/",
        r"/tmp/nginx": f"{folder}/nginx",  # noqa: S108 - what is looked for in the text
        **{f"{name}:8060": f"127.0.0.1:{port}" for name, port in servers.items()},
    }.items():
        text, count = re.subn(re.escape(old), new, text)
        assert count, f"nginx.conf does not say {old}"
    certificate = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes")
    files = ("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *certificate, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603 - as it is written here
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


@dataclass
class Fleet:
    """What runs."""

    url: str
    """Where nginx is."""
    plain_url: str
    """Where it is without TLS."""
    certificate: Path
    addresses: list[str]
    """Where each server is, without nginx."""
    servers: list[Program]
    redis: Redis
    env: Mapping[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    """An API key of somebody in each role."""

    @contextmanager
    def without(self, *numbers: int) -> Iterator[None]:
        """These servers are killed, and back at the end of the block."""
        for number in numbers:
            self.servers[number].kill()
        try:
            yield
        finally:
            _start([self.servers[number] for number in numbers])


@contextmanager
def fleet(database_url: str, folder: Path, settings: Mapping[str, str]) -> Iterator[Fleet]:
    """A fleet on this database, which is migrated, with somebody in each role. Its logs are in the folder."""
    http, https, *ports = (free_port() for _ in range(2 + SERVERS))
    redis = Redis("redis-server", folder / "redis.log")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    url = f"https://127.0.0.1:{https}"
    own = {
        "SIXTY_DATABASE_URL": database_url,
        "SIXTY_REDIS_URL": redis.url,
        "SIXTY_TRUSTED_PROXIES": "127.0.0.1",
        "SIXTY_PUBLIC_URL": url,
    }
    env = {**inherited, **own, **settings}
    servers = [
        Program([SIXTY, "serve", "--transport", "http", "--port", str(port)], port, env, folder / f"sixty-{port}.log")
        for port in ports
    ]
    with TemporaryDirectory(prefix="sixty-nginx-") as kept:
        names = {f"sixty-{number}": port for number, port in enumerate(ports, 1)}
        config = configured(Path(kept), names, http, https)
        alone = "daemon off; master_process off;"  # so that nothing of it is left when it is killed
        command = ["nginx", "-e", "stderr", "-c", str(config), "-p", kept, "-g", alone]
        nginx = Program(command, https, os.environ, folder / "nginx.log")
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        certificate = Path(kept) / "tls.crt"
        found = Fleet(url, f"http://127.0.0.1:{http}", certificate, addresses, servers, redis, env)
        asyncio.run(_founded(found, database_url))
        with running(redis):
            try:
                _start(servers)
                with running(nginx):
                    yield found
            finally:
                for server in servers:
                    server.kill()


async def _founded(fleet: Fleet, database_url: str) -> None:
    """Somebody in each role has a key."""
    database, now = await open_database(database_url), datetime.now(UTC)
    for role in ROLES:
        await add_user(database, email=f"{role}@example.com", name=role.title(), role=role, now=now)
        _, fleet.keys[role] = await add_key(database, f"{role}@example.com", "fleet", now=now)
    await database.close()


def _start(servers: list[Program]) -> None:
    """All of them at once: most of it is waiting."""
    with ThreadPoolExecutor(SERVERS) as starting:
        list(starting.map(Program.start, servers))
