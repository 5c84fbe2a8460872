"""A Sixty that is set up as it is deployed, and its commands."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS_TOKEN = "only for a test, and made up"


@dataclass(frozen=True)
class Served:
    """A server on a port of the loopback address."""

    port: int
    key: str
    env: Mapping[str, str]


def environment(database: str, redis: str, backups: Path) -> dict[str, str]:
    """The environment of a server, without settings that happen to be set here."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    return {
        **inherited,
        "SIXTY_DATABASE_URL": database,
        "SIXTY_REDIS_URL": redis,
        "SIXTY_METRICS_TOKEN": METRICS_TOKEN,
        "SIXTY_BACKUP_TO": str(backups),
        "SIXTY_RATE_STANDARD": "off",
    }


def sixty(*arguments: str, env: Mapping[str, str]) -> str:
    """What the command says."""
    command = [str(Path(sys.executable).with_name("sixty")), *arguments]
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    return done.stdout
