"""What the image is made by works in a bare Debian, and what comes of it serves: not as root, and without writing.

A container engine does no more: a root of its own, a user, and what is mounted there. The bare Debian is kept in
`~/.cache/sixty`, since it takes half a minute to make.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import lacking
from things import Postgres, Program, free_port, running
from written import DEPLOY, ROOT, instructions, last_stage, variables

from benchmarks.wire import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

pytestmark = pytest.mark.deploy

PATIENCE = 600
"""Seconds for the longest step, where the network is slow."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sixty"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
USER = "10001:10001"
NAMED = ("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy")

CONFINED = """
mount --bind "$0" "$0"
mount -o remount,bind,ro "$0"
mount -t proc proc "$0/proc"
mount -t tmpfs tmpfs "$0/tmp"
exec /usr/sbin/chroot --userspec=USER "$0" "$@"
""".replace("USER", USER)
"""Runs a command in a root that cannot be written to, as the user of the image."""
BUILDING = """
mount --bind "$0/source" "$0/source"
mount -o remount,bind,ro "$0/source"
exec /usr/sbin/chroot "$0" "$@"
"""
"""Runs a step in a root, where the source is mounted and cannot be written to, as it is while an image is built."""


def confined(root: Path, command: Sequence[str]) -> list[str]:
    """The command, in the root, as the image runs it."""
    return ["unshare", "--mount", "sh", "-ec", CONFINED, str(root), *command]


@pytest.fixture(scope="module")
def root(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare Debian in which the steps of the image have been taken."""
    if os.geteuid() != 0:
        lacking("only root can make a root of its own")
    folder = tmp_path_factory.mktemp("image") / "root"
    folder.mkdir()
    run("tar", "-C", str(folder), "-xf", str(bare(program("debootstrap"), folder.parent)))
    folder.chmod(0o755)
    shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
    source = folder / "source"
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            for found in ROOT.glob(line[1:]):
                copied = source / found.relative_to(ROOT)
                copied.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if found.is_dir() else shutil.copy)(found, copied)
    build(folder, "system")
    (folder / AUTHORITIES.relative_to("/")).write_bytes(AUTHORITIES.read_bytes())  # whom this machine trusts
    build(folder, "install", "/source")
    shutil.rmtree(source)
    return folder


def bare(debootstrap: str, folder: Path) -> Path:
    """An archive of the Debian that the container file starts from, without anything."""
    version = next(item.rest for item in instructions() if item.rest.startswith("DEBIAN="))
    suite = {"12": "bookworm", "13": "trixie"}[version.partition(":")[2].partition(".")[0]]
    kept = CACHE / f"{suite}.tar"
    if not kept.exists():
        made = folder / "bare"
        run(debootstrap, "--variant=minbase", suite, str(made))
        run("tar", "-C", str(made), "-cf", str(folder / "bare.tar"), ".")
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "bare.tar", kept)
    return kept


def build(root: Path, *step: str) -> None:
    """One step of build.sh, with what pip needs to find packages from here."""
    env = {name: os.environ[name] for name in NAMED if name in os.environ}
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in ("index-url", "trusted-host", "proxy"):
            env[f"PIP_{name.replace('-', '_').upper()}"] = value.strip("'")
    env |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CERT": str(AUTHORITIES)}
    script = root / "build.sh"
    shutil.copy(DEPLOY / "container" / "build.sh", script)
    run("unshare", "--mount", "sh", "-ec", BUILDING, str(root), "sh", "/build.sh", *step, env=env)
    script.unlink()


def run(*command: str, env: Mapping[str, str] | None = None) -> str:
    """What a command says; it has to succeed."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 - ours
    assert done.returncode == 0, f"{command}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_the_image_serves_without_being_root_and_without_writing(
    root: Path, postgres: Postgres, tmp_path: Path
) -> None:
    env = {**variables(), "SIXTY_DATABASE_URL": postgres.database()}

    def sixty(*arguments: str) -> str:
        return run(*confined(root, ["sixty", *arguments]), env=env)

    sixty("db", "upgrade")
    sixty("user", "add", "ann@example.com", "--name", "Ann", "--role", "manager")
    key = sixty("key", "add", "ann@example.com").strip()

    port = free_port()
    by_word = {item.word: item.rest.replace("8060", str(port)) for item in last_stage()}
    serve = [*json.loads(by_word["ENTRYPOINT"]), *json.loads(by_word["CMD"])]
    alive = json.loads(by_word["HEALTHCHECK"].partition("CMD")[2])
    with running(Program(confined(root, serve), port, env, tmp_path / "log")):
        run(*confined(root, alive), env=env)
        verify = [sys.executable, str(DEPLOY / "verify.py"), f"http://127.0.0.1:{port}"]
        assert "serves version" in run(*verify, env={**env, "SIXTY_TOKEN": key})
        deal = {"title": "Pilot", "company_name": "Acme"}
        made = ask(port, key, "tools/call", name="create_deal", arguments=deal)
        assert made["structuredContent"]["success"] is True
        assert len(ask(port, key, "tools/list")["tools"]) > 30
    with pytest.raises(AssertionError, match="Connection refused"):
        run(*confined(root, alive), env=env)


def test_whoever_breaks_in_can_change_nothing(root: Path) -> None:
    env = variables()
    assert run(*confined(root, ["id", "-u"]), env=env).strip() == "10001"
    for place in ("/opt/sixty/x", "/var/lib/sixty/x", "/x"):
        with pytest.raises(AssertionError, match="Read-only file system"):
            run(*confined(root, ["/usr/bin/touch", place]), env=env)
    with pytest.raises(AssertionError, match="No module named pip"):
        run(*confined(root, ["/opt/sixty/bin/python", "-m", "pip"]), env=env)


def test_backups_can_be_made_in_it(root: Path) -> None:
    for name in ("pg_dump", "pg_restore", "psql"):
        assert "(PostgreSQL) 17" in run(*confined(root, [name, "--version"]), env=variables())
    owner = (root / "var/lib/sixty/backups").stat()
    assert (owner.st_uid, owner.st_mode & 0o777) == (10001, 0o750)
