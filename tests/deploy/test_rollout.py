"""`rollout.sh` migrates, rolls out, verifies, and goes back to what served before: a kubectl takes notes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import yaml
from things import free_port
from written import DEPLOY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployed import Served

pytestmark = pytest.mark.deploy

IMAGE = "registry.example.com/sixty@sha256:" + "0" * 64
NOTES = """#!/bin/sh
[ "$1" = kustomize ] && exec {kubectl} "$@"
echo "$@" >>{notes}
case "$*" in
*"apply --filename"*) cp "$3" {notes}.yaml ;;
*"get job sixty-migrate"*) printf {migration} ;;
*"rollout status"*) exit {status} ;;
esac
"""


class Cluster:
    """A kubectl that does nothing, and what it was told to do."""

    def __init__(self, folder: Path, kubectl: str) -> None:
        self._folder, self._kubectl, self._notes = folder, kubectl, folder / "notes"

    def roll_out(
        self,
        url: str,
        token: str,
        *,
        migration: str = "Complete",
        status: int = 0,
        image: str = IMAGE,
        deploy: Path = DEPLOY,
    ) -> subprocess.CompletedProcess[str]:
        """What came of it, where the migration and the new replicas end like this."""
        said = NOTES.format(kubectl=self._kubectl, notes=self._notes, migration=migration, status=status)
        (self._folder / "kubectl").write_text(said)
        (self._folder / "kubectl").chmod(0o755)
        (self._folder / "python3").symlink_to(sys.executable)
        env = {"PATH": f"{self._folder}:{os.environ['PATH']}", "SITE_URL": url, "SIXTY_TOKEN": token, "PATIENCE": "0"}
        script = deploy / "kubernetes" / "rollout.sh"
        return subprocess.run(["sh", script, "staging", image], env=env, capture_output=True, text=True, check=False)  # noqa: S603, S607 - ours

    @property
    def told(self) -> list[str]:
        """The words that matter of what it was told, in order."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        known = ("delete job", "component!=server", "component=server", "get job", "logs", "status", "undo")
        return [next(word for word in known if word in line) for line in lines]

    @property
    def images(self) -> set[str]:
        """The images of what was applied last."""
        applied = yaml.safe_load_all(self._notes.with_suffix(".yaml").read_text())
        [deployment] = [item for item in applied if item["kind"] == "Deployment"]
        return {container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]}


@pytest.fixture
def cluster(program: Callable[[str], str], tmp_path: Path) -> Cluster:
    return Cluster(tmp_path, program("kubectl"))


def test_what_serves_stays(cluster: Cluster, served: Served) -> None:
    done = cluster.roll_out(f"http://127.0.0.1:{served.port}", served.key)
    assert done.returncode == 0, done.stderr
    assert "serves version" in done.stdout
    assert cluster.told == ["delete job", "component!=server", "get job", "component=server", "status"]
    assert cluster.images == {IMAGE}


def test_where_the_migration_fails_the_replicas_stay_as_they_were(cluster: Cluster) -> None:
    done = cluster.roll_out("http://127.0.0.1:1", "none", migration="Failed")
    assert done.returncode == 1
    assert "the replicas are as they were" in done.stderr
    assert cluster.told == ["delete job", "component!=server", "get job", "logs"]


def test_replicas_that_do_not_come_up_are_rolled_back(cluster: Cluster) -> None:
    done = cluster.roll_out("http://127.0.0.1:1", "none", status=1)
    assert done.returncode != 0
    assert "going back to what did" in done.stderr
    assert cluster.told[4:] == ["status", "undo", "status"]


def test_replicas_that_come_up_and_do_not_serve_are_rolled_back(cluster: Cluster) -> None:
    done = cluster.roll_out(f"http://127.0.0.1:{free_port()}", "none")
    assert done.returncode == 1
    assert "It does not serve: " in done.stderr
    assert cluster.told[4:] == ["status", "undo", "status"]


def test_an_image_that_may_be_another_one_tomorrow_is_refused(cluster: Cluster) -> None:
    done = cluster.roll_out("http://127.0.0.1:1", "none", image="registry.example.com/sixty:0.1.0")
    assert done.returncode == 2
    assert "has no digest" in done.stderr
    assert cluster.told == []


def test_the_image_takes_the_place_of_whichever_one_the_overlay_names(cluster: Cluster, tmp_path: Path) -> None:
    ours = shutil.copytree(DEPLOY, tmp_path / "deploy")
    overlay = ours / "kubernetes" / "overlays" / "staging" / "kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("registry.example.com/", "registry.acme.test:5000/crm/"))
    image = IMAGE.replace("registry.example.com/", "registry.acme.test:5000/crm/")
    cluster.roll_out("http://127.0.0.1:1", "none", image=image, status=1, deploy=ours)
    assert cluster.images == {image}


def test_an_overlay_with_two_images_is_not_guessed_at(cluster: Cluster, tmp_path: Path) -> None:
    ours = shutil.copytree(DEPLOY, tmp_path / "deploy")
    backups = ours / "kubernetes" / "base" / "backups.yaml"
    backups.write_text(backups.read_text().replace("image: sixty", "image: another"))
    done = cluster.roll_out("http://127.0.0.1:1", "none", deploy=ours)
    assert done.returncode == 2
    assert "more than one image" in done.stderr
    assert cluster.told == []


def test_nothing_of_a_rollout_is_left_behind(cluster: Cluster) -> None:
    cluster.roll_out("http://127.0.0.1:1", "none", migration="Failed")
    assert not list((DEPLOY / "kubernetes").glob(".rollout*"))


def test_the_cluster_is_told_who_the_job_is(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    class Issuer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"value": "an identity"}')

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as issuer:
        threading.Thread(target=issuer.handle_request).start()
        url = f"http://127.0.0.1:{issuer.server_port}/token?api=1"
        env = {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "let me ask"}
        command = [sys.executable, "-I", str(DEPLOY / "kubernetes" / "credential.py")]
        said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    assert asked == [("/token?api=1&audience=sixty-cluster", "Bearer let me ask")]
    credential = json.loads(said)
    assert (credential["kind"], credential["status"]) == ("ExecCredential", {"token": "an identity"})
