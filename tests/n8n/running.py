"""An n8n that runs on this machine alone, with an owner and a key, and phones nobody."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from installing import Installed

__all__ = ["N8n", "running", "until"]

OWNER, PASSWORD = "owner@example.com", "Local-Only-1"
PATIENCE = 120.0
"""Seconds within which everything has to happen, on the slowest of machines."""
_SCOPES = (
    *(f"workflow:{action}" for action in ("create", "read", "update", "delete", "list", "activate", "deactivate")),
    *(f"execution:{action}" for action in ("read", "list", "stop")),
    *(f"credential:{action}" for action in ("create", "delete", "list")),
)
_OFF = (
    "DIAGNOSTICS",
    "VERSION_NOTIFICATIONS",
    "VERSION_NOTIFICATIONS_WHATS_NEW",
    "TEMPLATES",
    "PERSONALIZATION",
    "HIRING_BANNER",
    "DYNAMIC_BANNERS",
    "AI",
    "AI_GATEWAY",
    "VERIFIED_PACKAGES",
)
_EMPTY = ("DIAGNOSTICS_CONFIG_FRONTEND", "DIAGNOSTICS_CONFIG_BACKEND", "SENTRY_DSN", "FRONTEND_SENTRY_DSN")


@dataclass
class N8n:
    """One that runs. What it is asked, it is asked over HTTP, as its owner or with the key."""

    url: str
    key: str
    owner: httpx2.Client
    """Signed in, as the editor is."""
    credentials: dict[str, dict[str, str]] = field(default_factory=dict)
    """Those that were made, by type."""

    def api(self, method: str, path: str, content: Any = None, **parameters: Any) -> Any:
        """What the public API answers."""
        headers = {"X-N8N-API-KEY": self.key}
        answer = self.owner.request(
            method, f"{self.url}/api/v1/{path}", json=content, params=parameters, headers=headers
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def rest(self, method: str, path: str, content: Any = None) -> Any:
        """What the editor's own API answers."""
        answer = self.owner.request(method, f"{self.url}/rest/{path}", json=content)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()["data"]

    def keep(self, kind: str, name: str, data: Mapping[str, Any]) -> None:
        """A credential of this type is there, and is put into each node that takes one of it."""
        made = self.api("POST", "credentials", {"name": name, "type": kind, "data": data})
        self.credentials[kind] = {"id": made["id"], "name": name}

    def add(self, workflow: Mapping[str, Any]) -> str:
        """The workflow is there; its id. Nodes get the credentials that their types ask for in `credentials`."""
        return str(self.api("POST", "workflows", workflow)["id"])

    def activate(self, workflow_id: str) -> None:
        """It runs by itself from now on."""
        self.api("POST", f"workflows/{workflow_id}/activate")

    def remove(self, workflow_id: str) -> None:
        """It is gone."""
        self.api("POST", f"workflows/{workflow_id}/deactivate")

        def look() -> bool | None:
            try:
                self.api("DELETE", f"workflows/{workflow_id}")
            except AssertionError as error:
                if "try again" in str(error):  # n8n deactivates behind the scenes
                    return None
                raise
            return True

        until(look)

    def start(self, workflow_id: str, trigger: str) -> str:
        """The workflow is run by hand from that trigger, as in the editor; the id of the execution."""
        started = self.rest("POST", f"workflows/{workflow_id}/run", {"triggerToStartFrom": {"name": trigger}})
        return str(started["executionId"])

    def ended(self, execution_id: str) -> dict[str, Any]:
        """The execution with its data, once it has ended."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.api("GET", f"executions/{execution_id}", includeData="true")
            return found if found["status"] not in ("new", "running", "waiting") else None

        return until(look)

    def executions(self, workflow_id: str) -> list[dict[str, Any]]:
        """Those of a workflow that have ended, the newest first, without data."""
        found: list[dict[str, Any]] = self.api("GET", "executions", workflowId=workflow_id)["data"]
        return found


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"nothing was found within {PATIENCE:.0f} seconds"
        time.sleep(0.1)
    return found


@contextmanager
def running(programs: Installed, home: Path, *packages: Path, port: int | None = None) -> Iterator[N8n]:
    """An n8n that keeps everything in `home`, with these packed community nodes besides those that are there.

    It is on a free port unless one is given. At the end it has stopped.
    """
    nodes = home / ".n8n/nodes"
    nodes.mkdir(parents=True, exist_ok=True)
    if packages:
        options = ("--omit=peer", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund")
        programs.run("npm", "install", *map(str, packages), *options, cwd=nodes)
    free, broker = _free_ports(2)
    port = port or free
    with (home / "n8n.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - n8n
            [*programs.command, "start"],
            env={**programs.environ, **_settings(programs, home, port, broker)},
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
        )
        try:
            with httpx2.Client(timeout=PATIENCE, trust_env=False) as client:
                yield _ready(process, client, f"http://127.0.0.1:{port}", home / "n8n.log")
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _settings(programs: Installed, home: Path, port: int, broker: int) -> dict[str, str]:
    hashing = f"require('bcryptjs').hash({json.dumps(PASSWORD)}, 10).then((hash) => process.stdout.write(hash))"
    return {
        "N8N_USER_FOLDER": str(home),
        "N8N_HOST": "127.0.0.1",
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_PORT": str(port),
        "N8N_PROTOCOL": "http",
        "WEBHOOK_URL": f"http://127.0.0.1:{port}/",
        "N8N_SECURE_COOKIE": "false",
        "N8N_RUNNERS_BROKER_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_RUNNERS_BROKER_PORT": str(broker),
        **{f"N8N_{name}_ENABLED": "false" for name in _OFF},
        **{f"N8N_{name}": "" for name in _EMPTY},
        "N8N_LICENSE_AUTO_RENEW_ENABLED": "false",
        "EXTERNAL_FRONTEND_HOOKS_URLS": "",
        "N8N_REINSTALL_MISSING_PACKAGES": "false",
        "N8N_DISABLED_MODULES": "insights,instance-ai,mcp-registry,chat-hub,quick-connect",
        "N8N_ENCRYPTION_KEY": "for-tests-only-for-tests-only",
        "N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS": "true",
        "N8N_INSTANCE_OWNER_MANAGED_BY_ENV": "true",
        "N8N_INSTANCE_OWNER_EMAIL": OWNER,
        "N8N_INSTANCE_OWNER_FIRST_NAME": "Local",
        "N8N_INSTANCE_OWNER_LAST_NAME": "Owner",
        "N8N_INSTANCE_OWNER_PASSWORD_HASH": programs.run("node", "-e", hashing, cwd=programs.app),
        "DB_TYPE": "sqlite",
        "GENERIC_TIMEZONE": "UTC",
        "N8N_LOG_LEVEL": "info",
    }


def _ready(process: subprocess.Popen[bytes], client: httpx2.Client, url: str, log: Path) -> N8n:
    def look() -> N8n | None:
        assert process.poll() is None, log.read_text(encoding="utf-8")[-4000:]
        with suppress(httpx2.HTTPError):
            if client.get(f"{url}/healthz/readiness").is_success:
                signed_in = client.post(f"{url}/rest/login", json={"emailOrLdapLoginId": OWNER, "password": PASSWORD})
                if signed_in.is_success:
                    return N8n(url, "", client)
        return None

    n8n: N8n = until(look)
    label = f"tests, {time.time_ns()}"  # each start makes one
    made = n8n.rest("POST", "api-keys", {"label": label, "scopes": list(_SCOPES), "expiresAt": None})
    n8n.key = made["rawApiKey"]
    return n8n


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports
