"""The container file is tidy, and what it makes can do little harm."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
from written import DEPLOY, ROOT, instructions, last_stage, read

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.deploy

CONTAINERFILE = DEPLOY / "container" / "Containerfile"


def test_the_linter_has_nothing_to_say(program: Callable[[str], str]) -> None:
    command = [program("hadolint"), "--failure-threshold", "info", str(CONTAINERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a linter
    assert done.returncode == 0, done.stdout


def test_the_scripts_are_sound(program: Callable[[str], str]) -> None:
    scripts = [str(path) for path in sorted(DEPLOY.rglob("*.sh"))]
    done = subprocess.run([program("shellcheck"), *scripts], capture_output=True, text=True, check=False)  # noqa: S603 - a linter
    assert len(scripts) >= 3
    assert done.returncode == 0, done.stdout


def test_the_base_is_of_one_version() -> None:
    bases = [item.rest for item in instructions() if item.word == "ARG" and item.rest.startswith("DEBIAN=")]
    assert len(bases) == 1
    assert re.fullmatch(r"DEBIAN=debian:\d+\.\d+-slim", bases[0])
    assert {item.rest.split()[0] for item in instructions() if item.word == "FROM"} == {"${DEBIAN}", "system"}


def test_it_does_not_run_as_root_and_its_user_is_a_number() -> None:
    users = [item.rest for item in last_stage() if item.word == "USER"]
    assert users == ["10001:10001"]
    assert "OWNER=10001" in (DEPLOY / "container" / "build.sh").read_text()


def test_it_says_what_it_is() -> None:
    labels = " ".join(item.rest for item in last_stage() if item.word == "LABEL")
    for name in ("title", "description", "licenses", "version", "revision", "created"):
        assert f"org.opencontainers.image.{name}=" in labels
    version = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text())["project"]["version"]
    assert f"VERSION={version}" in [item.rest for item in last_stage() if item.word == "ARG"]


def test_it_serves_over_http_and_says_whether_it_lives() -> None:
    by_word = {item.word: item.rest for item in last_stage()}
    command = [*json.loads(by_word["ENTRYPOINT"]), *json.loads(by_word["CMD"])]
    everywhere = "0.0.0.0"  # noqa: S104 - of the container, which is reached by what is published alone
    assert command == ["sixty", "serve", "--transport", "http", "--host", everywhere, "--port", "8060"]
    assert "/health" in by_word["HEALTHCHECK"]
    assert "curl" not in by_word["HEALTHCHECK"]


def test_every_pack_is_in_it_unless_somebody_chooses() -> None:
    packs = " ".join(sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")))
    assert [item.rest for item in instructions() if item.rest.startswith("PACKS=")] == [f'PACKS="{packs}"']
    assert f"PACKS=${{PACKS-{packs}}}" in (DEPLOY / "container" / "build.sh").read_text()


def test_whoever_builds_it_is_sent_what_it_is_made_of_and_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # noqa: S607 - wherever it is
    sent = {path for path in listed if is_sent(path)}
    made_of = ("core/src/", "core/pyproject.toml", "constraints.txt", "deploy/container/build.sh")
    assert {path for path in listed if path.startswith(made_of)} <= sent
    assert all(path.startswith((*made_of, "plugins/")) for path in sent)
    assert not [
        path
        for path in sent
        if path.startswith("plugins/") and "/src/" not in path and not path.endswith("pyproject.toml")
    ]


def is_sent(path: str) -> bool:
    """Whether an engine sends the file to whoever builds: the last line decides that matches it or a folder above."""
    parts = path.split("/")
    prefixes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    decided = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("#"):
            continue
        pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, prefix) for prefix in prefixes):
            decided = line.startswith("!")
    return decided


def test_backups_are_made_by_programs_as_new_as_the_database() -> None:
    installed = re.search(r"postgresql-client-(\d+)", (DEPLOY / "container" / "build.sh").read_text())
    served = re.match(
        r"postgres:(\d+)\.\d+", read(DEPLOY / "compose" / "compose.yaml")["services"]["postgres"]["image"]
    )
    assert installed is not None
    assert served is not None
    assert installed[1] == served[1]
