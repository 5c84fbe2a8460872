"""Backups in a bucket of a real server of S3, which is no program of ours: moto's, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from things import Program, free_port, running

from sixty.backup.bucket import PART, Bucket
from sixty.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.services

MOTO = "moto[server,s3]==5.2.5"
SIXTY = str(Path(sys.executable).with_name("sixty"))
HOME = Path(__file__).parents[2] / ".tox" / "moto-5.2.5"


@pytest.fixture(scope="module")
def server() -> str:
    """The Python in which moto is installed: by itself, for it needs older versions of what others need."""
    python = HOME / "bin" / "python"
    if not (HOME / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)  # noqa: S603 - our own Python
        command = [python, "-I", "-m", "pip", "install", "--quiet", MOTO]
        installed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - likewise
        if installed.returncode:
            reason = f"{MOTO} cannot be installed: {installed.stderr[-500:]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        (HOME / "installed").touch()
    return str(python)


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket; the environment says where it is and who may use it."""
    port = free_port()
    own = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_REGION": "eu-north-1"}
    own |= {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    command = [server, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(Program(command, port, {**os.environ, "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "1"}, tmp_path / "moto.log")):
        urlopen(Request(f"{own['AWS_ENDPOINT_URL']}/backups", method="PUT")).close()  # noqa: S310 - a server of ours
        yield "s3://backups/of/sixty"


def sixty(database: Path, *arguments: str, status: int = 0, **environ: str) -> str:
    """What a command prints; its status must be this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    env = {**kept, "SIXTY_DATABASE_URL": f"sqlite+aiosqlite:///{database}", "SIXTY_PLUGINS": "", **environ}
    done = subprocess.run([SIXTY, *arguments], env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_what_is_backed_up_to_a_bucket_comes_back_from_it(bucket: str, tmp_path: Path) -> None:
    database, copy = tmp_path / "sixty.db", tmp_path / "copy.db"
    sixty(database, "user", "add", "ada@example.com", "--name", "Ada")
    made = [json.loads(sixty(database, "backup", bucket, "--json", "--no-verify")) for _ in range(2)]
    made.append(
        json.loads(sixty(database, "backup", "--json", "--rotate", SIXTY_BACKUP_TO=bucket, SIXTY_BACKUP_KEEP="1,0,0"))
    )
    assert made[2]["removed"] == [made[0]["name"], made[1]["name"]]
    (listed,) = json.loads(sixty(database, "backups", bucket, "--json"))
    assert (listed["name"], listed["bytes"]) == (made[2]["name"], made[2]["bytes"])
    assert "Restored the backup of" in sixty(copy, "restore", f"{bucket}/{listed['name']}")
    assert "ada@example.com" in sixty(copy, "user", "list")
    assert "not found" in sixty(copy, "restore", f"{bucket}/nothing.zip", "--replace", "--yes", status=1)
    assert "NoSuchBucket" in sixty(database, "backup", "s3://nowhere", "--no-verify", status=1)


def test_a_large_file_goes_in_parts_and_comes_back_the_same(bucket: str, tmp_path: Path) -> None:
    place, content = Bucket.at(bucket), os.urandom(3 * PART + 1)
    with place.workspace() as folder:
        path = folder / "large"
        path.write_bytes(content)
        place.put("large", path)
    assert place.list("") == [("large", len(content))]
    place.read("large", tmp_path / "read")
    assert (tmp_path / "read").read_bytes() == content
    place.remove("large")
    with pytest.raises(BackupError, match="not found"):
        place.read("large", tmp_path / "read")


def test_a_server_that_is_away_is_an_error_that_says_so(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(BackupError, match=r"^s3://backups/of/sixty: "):
        Bucket.at(bucket).list("")
